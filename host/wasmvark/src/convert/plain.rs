//! The plugins whose links need no parent and no peer: `dummy` and `tap`.

use policy::Call;
use types::LinkName;

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

pub(super) fn dummy(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-dummy";
    if ipam.subnets.is_empty() {
        return Err(keys.wrong("ipam", "dummy needs addresses, as in CNI"));
    }
    routes::apply(plan, ipam, false);
    Ok(())
}

pub(super) fn tap(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-tap";
    if let Some(mac) = keys.take::<String>("mac")?.filter(|mac| !mac.is_empty()) {
        plan.mac("mac", &mac);
    }
    if let Some(mtu) = keys.take::<u32>("mtu")?.filter(|mtu| *mtu != 0) {
        plan.option("mtu", mtu);
    }
    for key in ["owner", "group"] {
        if let Some(id) = keys.take::<u32>(key)? {
            plan.option(key, id);
        }
    }
    if keys.flag("multiQueue")? {
        plan.option("multi_queue", true);
    }
    if let Some(bridge) = keys
        .take::<String>("bridge")?
        .filter(|name| !name.is_empty())
    {
        let name: LinkName = bridge
            .parse()
            .map_err(|error| keys.wrong("bridge", &format!("{error}")))?;
        plan.option("bridge", &bridge);
        plan.needs_link(Call::LinksGet, &name);
        plan.needs_link(Call::LinksSetMaster, &name);
    }
    if keys.take::<String>("selinuxContext")?.is_some() {
        plan.no_counterpart(
            "selinuxContext",
            "no context is set; instead the tap has the context of the process that makes it",
        );
    }
    routes::apply(plan, ipam, false);
    Ok(())
}
