//! The plugin `bridge`.

use serde::Deserialize;

use super::ConvertError;
use super::ipam::Ipam;
use super::keys::Keys;
use super::plan::Plan;
use super::routes;

/// The bridge's default name.
const BRIDGE: &str = "cni0";

/// The kernel's default VLAN of a port (`VLAN_DEFAULT_PVID` in `net/bridge/br_vlan.c`).
const DEFAULT_VLAN: u16 = 1;

/// The VLANs of a trunk: an id, a range, or both.
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
    others(keys, plan)
}

/// Takes the options of the bridge's ports.
fn ports(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let hairpin = keys.flag("hairpinMode")?;
    let promiscuous = keys.flag("promiscMode")?;
    if hairpin && promiscuous {
        return Err(ConvertError::Impossible {
            key: "hairpinMode",
            text: "give either this key or promiscMode, as in CNI".to_owned(),
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
                    "with this key, which is true by default, the containers are in the bridge's \
                     default VLAN, too; instead they are in their own VLAN only",
                );
            }
            Ok(())
        }
        _ => Err(keys.wrong("vlan", "give either this key or vlanTrunk, as in CNI")),
    }
}

impl Trunk {
    /// Returns the VLANs as the option `trunk` takes them, or `None` for half a range.
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

/// Takes the keys about gateways and routes.
fn gateway(
    keys: &mut Keys,
    ipam: &Ipam,
    plan: &mut Plan,
    bridge: &str,
) -> Result<(), ConvertError> {
    let is_default_gateway = keys.flag("isDefaultGateway")?;
    let is_gateway = is_default_gateway || keys.flag("isGateway")?;
    keys.ignore(&["isGateway"]);
    let masquerade = keys.flag("ipMasq")?;
    if keys.take::<String>("ipMasqBackend")?.as_deref() == Some("iptables") {
        plan.remark("ipMasqBackend", "rules are always nftables rules here");
    }
    // A network without addresses has no gateway and no routes.
    if ipam.subnets.is_empty() {
        return Ok(());
    }
    if is_gateway {
        if !masquerade {
            plan.option("masquerade", false);
        }
        // CNI's bridges reach each other, unless the plugin `firewall` says otherwise.
        plan.option("isolate", false);
        routes::apply(plan, ipam, is_default_gateway);
        return Ok(());
    }
    without_gateway(ipam, plan, bridge);
    if masquerade {
        plan.no_counterpart(
            "ipMasq",
            "without isGateway no packet of the containers leaves through the host; instead \
             nothing is masqueraded",
        );
    }
    routes::apply(plan, ipam, false);
    Ok(())
}

/// Plans a bridge without an address, for containers with addresses.
fn without_gateway(ipam: &Ipam, plan: &mut Plan, bridge: &str) {
    if ipam.routes.is_empty() {
        plan.internal = true;
        plan.remark(
            "isGateway",
            "the key is false, so the network is internal: its bridge has no address, and its \
             containers reach only each other",
        );
        return;
    }
    plan.option("mode", "unmanaged");
    if plan.find_option("promiscuous").is_some() {
        plan.drop_option("promiscuous");
        plan.no_counterpart(
            "promiscMode",
            "the network doesn't change an existing bridge: use `ip link set`",
        );
    }
    let text = format!(
        "with isGateway false, the routes lead through another machine on the bridge, and the \
         network's own bridge would have that machine's address; instead the network uses an \
         existing bridge: `ip link add {bridge} type bridge`, `ip link set {bridge} up`"
    );
    plan.no_counterpart("isGateway", &text);
}

/// Takes the keys without a counterpart.
fn others(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if keys.flag("forceAddress")? {
        plan.no_counterpart(
            "forceAddress",
            "the network's own bridge is made for the first container and deleted with the last, \
             so it has no other addresses to replace",
        );
    }
    if let Some(on) = keys.take::<bool>("enabledad")? {
        plan.option("accept_dad", on);
    }
    if keys.flag("disableContainerInterface")? {
        plan.no_counterpart(
            "disableContainerInterface",
            "with this key the container's interface stays down; instead it is up",
        );
    }
    Ok(())
}
