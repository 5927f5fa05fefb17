//! The plugin `portmap`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if keys.take::<bool>("snat")? == Some(false) {
        plan.no_counterpart(
            "snat",
            "what containers of the network and the host at 127.0.0.1 send to published ports \
             always gets an address of the host's",
        );
    }
    if keys.flag("masqAll")? {
        plan.no_counterpart(
            "masqAll",
            "what others send to published ports keeps its source address",
        );
    }
    for key in ["conditionsV4", "conditionsV6"] {
        let conditions: Vec<String> = keys.take_or_default(key)?;
        if !conditions.is_empty() {
            plan.no_counterpart(
                key,
                "published ports lead to the container whatever the packet; `-p \
                 ADDRESS:PORT:PORT` publishes at one address of the host only",
            );
        }
    }
    if keys.take::<u32>("markMasqBit")?.is_some() {
        plan.no_counterpart("markMasqBit", "no packet is marked, so no bit is needed");
    }
    if keys.take::<String>("externalSetMarkChain")?.is_some() {
        plan.no_counterpart(
            "externalSetMarkChain",
            "no packet is marked; instead rules of the driver's own give it the address",
        );
    }
    if keys.take::<String>("backend")?.as_deref() == Some("iptables") {
        plan.remark("backend", "rules are always in nftables here");
    }
    Ok(())
}
