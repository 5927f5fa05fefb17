//! The plugin `bandwidth`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

/// The bits of a byte. CNI's bursts are in bits, and the drivers' in bytes.
const BITS: u64 = 8;

/// The keys for limits of some packets only.
const SHAPED: &str = "shapedSubnets";
const UNSHAPED: &str = "unshapedSubnets";

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let mut limits = false;
    for direction in ["ingress", "egress"] {
        let (rate_key, burst_key) = (format!("{direction}Rate"), format!("{direction}Burst"));
        let rate = keys.take_or_default::<u64>(&rate_key)?;
        let burst = keys.take_or_default::<u64>(&burst_key)?;
        match (rate, burst) {
            (0, 0) => {}
            (0, _) => return Err(keys.wrong(&rate_key, "a burst without a rate limits nothing")),
            (_, 0) => return Err(keys.wrong(&burst_key, "a rate needs a burst, as in CNI")),
            (rate, burst) => {
                limits = true;
                plan.option(&format!("{direction}_rate"), rate);
                plan.option(&format!("{direction}_burst"), burst / BITS);
            }
        }
    }
    let shaped: Vec<String> = keys.take_or_default(SHAPED)?;
    let unshaped: Vec<String> = keys.take_or_default(UNSHAPED)?;
    if !shaped.is_empty() && !unshaped.is_empty() {
        let text = format!("it can't be given together with {SHAPED}, as in CNI");
        return Err(keys.wrong(UNSHAPED, &text));
    }
    for (option, subnets) in [("shaped_subnets", shaped), ("unshaped_subnets", unshaped)] {
        if limits && !subnets.is_empty() {
            plan.option(option, subnets.join(" "));
        }
    }
    Ok(())
}
