//! The plugins whose links have a parent on the host: `macvlan`, `ipvlan` and `vlan`.

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

pub(super) fn macvlan(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-macvlan";
    on_parent(keys, plan)?;
    let modes = ["bridge", "private", "vepa", "passthru"];
    mode(keys, plan, &modes)?;
    if let Some(length) = keys
        .take::<u32>("bcqueuelen")?
        .filter(|length| *length != 0)
    {
        plan.option("bcqueuelen", length);
    }
    announce(ipam, plan);
    routes::apply(plan, ipam, false);
    Ok(())
}

pub(super) fn ipvlan(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-ipvlan";
    on_parent(keys, plan)?;
    mode(keys, plan, &["l2", "l3", "l3s"])?;
    announce(ipam, plan);
    routes::apply(plan, ipam, false);
    Ok(())
}

pub(super) fn vlan(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-vlan";
    on_parent(keys, plan)?;
    let vlan = keys.take_or_default::<u16>("vlanId")?;
    plan.option("vlan", vlan);
    routes::apply(plan, ipam, false);
    Ok(())
}

fn on_parent(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if keys.flag("linkInContainer")? {
        return Err(ConvertError::Impossible {
            key: "linkInContainer",
            text: "no driver here makes a link on an interface in the container: the interface of \
                   \"master\" must be the host's"
                .to_owned(),
        });
    }
    let parent = keys.take::<String>("master")?;
    if let Some(parent) = parent.filter(|parent| !parent.is_empty()) {
        plan.option("parent", parent);
    }
    if let Some(mtu) = keys.take::<u32>("mtu")?.filter(|mtu| *mtu != 0) {
        plan.option("mtu", mtu);
    }
    Ok(())
}

/// Sets the option `announce`, because CNI announces addresses to the neighbours.
fn announce(ipam: &Ipam, plan: &mut Plan) {
    if !ipam.subnets.is_empty() {
        plan.option("announce", true);
    }
}

/// Takes the mode. The first of `modes` is the default of both CNI and the driver.
fn mode(keys: &mut Keys, plan: &mut Plan, modes: &[&str]) -> Result<(), ConvertError> {
    let mode = keys.take::<String>("mode")?;
    let Some(mode) = mode.filter(|mode| !mode.is_empty()) else {
        return Ok(());
    };
    if !modes.contains(&mode.as_str()) {
        let error = format!("there is no mode {mode:?}: use one of {}", modes.join(", "));
        return Err(keys.wrong("mode", &error));
    }
    if modes.first() != Some(&mode.as_str()) {
        plan.option("mode", mode);
    }
    Ok(())
}
