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
    let ipam = reachable(ipam, plan);
    routes::lay(plan, &ipam, false);
    Ok(())
}

/// Without routes whose gateway isn't the host: nobody else is behind the link.
fn reachable(ipam: &Ipam, plan: &mut Plan) -> Ipam {
    let mut reachable = ipam.clone();
    reachable.routes.retain(|route| {
        let is_host = |gateway| {
            ipam.subnets
                .iter()
                .any(|subnet| subnet.gateway() == gateway)
        };
        let answers = route.gateway.is_none_or(is_host);
        if !answers {
            plan.no_counterpart(
                &route.key,
                "its gateway is another than the subnet's, and nobody but the host is behind the \
                 link, so no packet gets there; instead the route is left out",
            );
        }
        answers
    });
    reachable
}
