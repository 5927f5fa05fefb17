//! The plugin `bridge`.

use serde::Deserialize;

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

/// The bridge's name where none is given.
const BRIDGE: &str = "cni0";

/// The VLAN of ports that nothing else is said of (`VLAN_DEFAULT_PVID`).
const DEFAULT_VLAN: u16 = 1;

/// VLANs of a trunk: one, or some from one on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trunk {
    id: Option<u16>,
    #[serde(rename = "minID")]
    first: Option<u16>,
    #[serde(rename = "maxID")]
    last: Option<u16>,
}

pub(super) fn convert(keys: &mut Keys, ipam: &Ipam, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.driver = "wasm-bridge";
    let bridge = keys
        .take::<String>("bridge")?
        .unwrap_or_else(|| BRIDGE.to_owned());
    plan.option("parent", &bridge);
    if let Some(mtu) = keys.take::<u32>("mtu")?.filter(|mtu| *mtu != 0) {
        plan.option("mtu", mtu);
    }
    ports(keys, plan)?;
    vlans(keys, plan)?;
    gateway(keys, ipam, plan, &bridge)?;
    rest(keys, plan)
}

/// How frames pass its ports.
fn ports(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let hairpin = keys.flag("hairpinMode")?;
    let promiscuous = keys.flag("promiscMode")?;
    if hairpin && promiscuous {
        return Err(ConvertError::Impossible {
            key: "hairpinMode",
            text: "it can't be had together with promiscMode, as in CNI".to_owned(),
        });
    }
    for (on, option) in [
        (hairpin, "hairpin"),
        (promiscuous, "promiscuous"),
        (keys.flag("portIsolation")?, "port_isolation"),
        (keys.flag("macspoofchk")?, "mac_spoof_check"),
    ] {
        if on {
            plan.option(option, true);
        }
    }
    Ok(())
}

fn vlans(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let vlan = keys.take_or_default::<u16>("vlan")?;
    let trunk: Vec<Trunk> = keys.take_or_default("vlanTrunk")?;
    let keeps_default = keys.take::<bool>("preserveDefaultVlan")?.unwrap_or(true);
    match (vlan, trunk.as_slice()) {
        (0, []) => Ok(()),
        (0, trunk) => {
            let ranges: Vec<String> = trunk
                .iter()
                .flat_map(Trunk::ranges)
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    keys.wrong(
                        "vlanTrunk",
                        "each entry has \"id\", or \"minID\" and \"maxID\"",
                    )
                })?;
            plan.option("trunk", ranges.join(","));
            if keeps_default {
                plan.option("native_vlan", DEFAULT_VLAN);
            }
            Ok(())
        }
        (vlan, []) => {
            plan.option("vlan", vlan);
            if keeps_default {
                plan.no_counterpart(
                    "preserveDefaultVlan",
                    "it's true unless false is given, and leaves the containers in the bridge's \
                     default VLAN too; instead they are in their own VLAN only",
                );
            }
            Ok(())
        }
        _ => Err(keys.wrong(
            "vlan",
            "it can't be given together with vlanTrunk, as in CNI",
        )),
    }
}

impl Trunk {
    /// As the option `trunk` takes them; `None` for half a range.
    fn ranges(&self) -> Vec<Option<String>> {
        let range = match (self.first, self.last) {
            (Some(first), Some(last)) => Some(Some(format!("{first}-{last}"))),
            (None, None) => None,
            _ => Some(None),
        };
        let one = self.id.map(|id| Some(id.to_string()));
        if range.is_none() && one.is_none() {
            return vec![None];
        }
        one.into_iter().chain(range).collect()
    }
}

/// What leads elsewhere.
fn gateway(
    keys: &mut Keys,
    ipam: &Ipam,
    plan: &mut Plan,
    bridge: &str,
) -> Result<(), ConvertError> {
    let everywhere = keys.flag("isDefaultGateway")?;
    let is_gateway = everywhere || keys.flag("isGateway")?;
    keys.ignore(&["isGateway"]);
    let masquerade = keys.flag("ipMasq")?;
    if keys.take::<String>("ipMasqBackend")?.as_deref() == Some("iptables") {
        plan.remark("ipMasqBackend", "rules are always in nftables here");
    }
    // Without addresses there is nothing that leads anywhere.
    if ipam.subnets.is_empty() {
        return Ok(());
    }
    if is_gateway {
        if !masquerade {
            plan.option("masquerade", false);
        }
        routes::lay(plan, ipam, everywhere);
        return Ok(());
    }
    without_gateway(ipam, plan, bridge);
    if masquerade {
        plan.no_counterpart(
            "ipMasq",
            "without isGateway nothing of the containers' leaves through the host; instead \
             nothing is masqueraded",
        );
    }
    routes::lay(plan, ipam, false);
    Ok(())
}

/// A bridge without addresses, to which containers with addresses are plugged.
fn without_gateway(ipam: &Ipam, plan: &mut Plan, bridge: &str) {
    if ipam.routes.is_empty() {
        plan.internal = true;
        plan.remark(
            "isGateway",
            "it's false, so the network is internal: its bridge has no address, and its \
             containers reach each other only",
        );
        return;
    }
    plan.option("mode", "unmanaged");
    if plan.find_option("promiscuous").is_some() {
        plan.drop_option("promiscuous");
        plan.no_counterpart(
            "promiscMode",
            "a bridge that is there already stays as it is: `ip link set` can do it",
        );
    }
    let text = format!(
        "with isGateway false the routes lead through another machine on the bridge, whose \
         address a bridge of the network's own would have; instead the network uses a bridge \
         that must be there already: `ip link add {bridge} type bridge`, `ip link set {bridge} up`"
    );
    plan.no_counterpart("isGateway", &text);
}

/// What has no counterpart.
fn rest(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if keys.flag("forceAddress")? {
        plan.no_counterpart(
            "forceAddress",
            "the bridge is the network's own, made for the first container and gone with the \
             last, so there are no other addresses to replace",
        );
    }
    // True is how it is anyway.
    if keys.take::<bool>("enabledad")? == Some(false) {
        plan.option("sysctl.net.ipv6.conf.IFNAME.accept_dad", 0);
    }
    if keys.flag("disableContainerInterface")? {
        plan.no_counterpart(
            "disableContainerInterface",
            "it leaves the container's interface down; instead it's up",
        );
    }
    Ok(())
}
