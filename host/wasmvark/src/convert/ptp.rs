//! The plugin `ptp`.

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

pub(super) fn convert(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-ptp";
    if ipam.subnets.is_empty() {
        return Err(keys.wrong("ipam", "ptp needs addresses, as in CNI"));
    }
    if let Some(mtu) = keys.take::<u32>("mtu")?.filter(|mtu| *mtu != 0) {
        plan.option("mtu", mtu);
    }
    if keys.flag("ipMasq")? {
        plan.option("masquerade", true);
    }
    if keys.take::<String>("ipMasqBackend")?.as_deref() == Some("iptables") {
        plan.remark("ipMasqBackend", "rules are always nftables rules here");
    }
    let ipam = reachable(ipam, plan);
    routes::apply(plan, &ipam, false);
    Ok(())
}

/// Removes the routes whose gateway isn't the host, because only the host is at the other
/// end of the link.
fn reachable(ipam: &Ipam, plan: &mut Plan) -> Ipam {
    let mut reachable = ipam.clone();
    reachable.routes.retain(|route| {
        let is_host = |gateway| {
            ipam.subnets
                .iter()
                .any(|subnet| subnet.gateway() == gateway)
        };
        let leads_to_host = route.gateway.is_none_or(is_host);
        if !leads_to_host {
            plan.no_counterpart(
                &route.key,
                "the route's gateway isn't the subnet's, and only the host is at the other end of \
                 the link, so no packet gets there; instead the route is left out",
            );
        }
        leads_to_host
    });
    reachable
}
