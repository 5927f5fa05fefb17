//! The plugin `ptp`.

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

pub(super) fn convert(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-ptp";
    if ipam.subnets.is_empty() {
        return Err(keys.wrong(
            "ipam",
            "ptp connects addresses, so it needs some, as in CNI",
        ));
    }
    if let Some(mtu) = keys.take::<u32>("mtu")?.filter(|mtu| *mtu != 0) {
        plan.option("mtu", mtu);
    }
    if keys.flag("ipMasq")? {
        plan.option("masquerade", true);
    }
    if keys.take::<String>("ipMasqBackend")?.as_deref() == Some("iptables") {
        plan.remark("ipMasqBackend", "rules are always in nftables here");
    }
    routes::lay(plan, ipam, false);
    Ok(())
}
