//! The plugin `portmap`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if keys.take::<bool>("snat")? == Some(false) {
        plan.no_counterpart(
            "snat",
            "packets to published ports from containers of the network, and from the host at \
             127.0.0.1, always get an address of the host",
        );
    }
    if keys.flag("masqAll")? {
        plan.no_counterpart(
            "masqAll",
            "packets from elsewhere to published ports keep their source address",
        );
    }
    for key in ["conditionsV4", "conditionsV6"] {
        let conditions: Vec<String> = keys.take_or_default(key)?;
        if !conditions.is_empty() {
            plan.no_counterpart(
                key,
                "a published port is open for all packets; `-p ADDRESS:PORT:PORT` publishes it at \
                 one address of the host only",
            );
        }
    }
    if keys.take::<u32>("markMasqBit")?.is_some() {
        plan.no_counterpart("markMasqBit", "no packet is marked, so no bit is needed");
    }
    if keys.take::<String>("externalSetMarkChain")?.is_some() {
        plan.no_counterpart(
            "externalSetMarkChain",
            "no packet is marked; instead the driver's own rules do the SNAT",
        );
    }
    if keys.take::<String>("backend")?.as_deref() == Some("iptables") {
        plan.remark("backend", "rules are always nftables rules here");
    }
    Ok(())
}
