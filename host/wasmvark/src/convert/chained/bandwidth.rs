//! The plugin `bandwidth`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

/// The bits of a byte. CNI's bursts are in bits, and the drivers' in bytes.
const BITS: u64 = 8;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    for direction in ["ingress", "egress"] {
        let (rate_key, burst_key) = (format!("{direction}Rate"), format!("{direction}Burst"));
        let rate = keys.take_or_default::<u64>(&rate_key)?;
        let burst = keys.take_or_default::<u64>(&burst_key)?;
        match (rate, burst) {
            (0, 0) => {}
            (0, _) => return Err(keys.wrong(&rate_key, "a burst without a rate limits nothing")),
            (_, 0) => return Err(keys.wrong(&burst_key, "a rate needs a burst, as in CNI")),
            (rate, burst) => {
                plan.option(&format!("{direction}_rate"), rate);
                plan.option(&format!("{direction}_burst"), burst / BITS);
            }
        }
    }
    for key in ["shapedSubnets", "unshapedSubnets"] {
        let subnets: Vec<String> = keys.take_or_default(key)?;
        if !subnets.is_empty() {
            let text = "the limit is for all packets of the container";
            plan.no_counterpart(key, text);
        }
    }
    Ok(())
}
