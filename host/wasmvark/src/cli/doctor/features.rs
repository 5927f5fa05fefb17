//! What the kernel must have for a call to work.

use policy::Call;

/// A part of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Feature {
    /// What it is called in the kernel's configuration, without `CONFIG_`.
    pub(super) option: &'static str,
    /// The module, where it can be one.
    pub(super) module: Option<&'static str>,
}

const fn module(option: &'static str, module: &'static str) -> Feature {
    Feature {
        option,
        module: Some(module),
    }
}

const fn built_in(option: &'static str) -> Feature {
    Feature {
        option,
        module: None,
    }
}

const BRIDGE: Feature = module("BRIDGE", "bridge");
const BRIDGE_VLANS: Feature = built_in("BRIDGE_VLAN_FILTERING");
const DUMMY: Feature = module("DUMMY", "dummy");
const IFB: Feature = module("IFB", "ifb");
const IPV6: Feature = module("IPV6", "ipv6");
const IPVLAN: Feature = module("IPVLAN", "ipvlan");
const MACVLAN: Feature = module("MACVLAN", "macvlan");
const MACVTAP: Feature = module("MACVTAP", "macvtap");
const PACKET: Feature = module("PACKET", "af_packet");
const RULES: Feature = built_in("IP_MULTIPLE_TABLES");
const RULES_V6: Feature = built_in("IPV6_MULTIPLE_TABLES");
const TUN: Feature = module("TUN", "tun");
const VETH: Feature = module("VETH", "veth");
const VLAN: Feature = module("VLAN_8021Q", "8021q");
const VRF: Feature = module("NET_VRF", "vrf");
const VXLAN: Feature = module("VXLAN", "vxlan");
const WIREGUARD: Feature = module("WIREGUARD", "wireguard");

const SCH_HTB: Feature = module("NET_SCH_HTB", "sch_htb");
const SCH_INGRESS: Feature = module("NET_SCH_INGRESS", "sch_ingress");
const SCH_TBF: Feature = module("NET_SCH_TBF", "sch_tbf");
const CLS_U32: Feature = module("NET_CLS_U32", "cls_u32");
const ACT_MIRRED: Feature = module("NET_ACT_MIRRED", "act_mirred");

const NF_TABLES: Feature = module("NF_TABLES", "nf_tables");
const NF_INET: Feature = built_in("NF_TABLES_INET");
const NF_BRIDGE: Feature = built_in("NF_TABLES_BRIDGE");
const NF_CONNTRACK: Feature = module("NF_CONNTRACK", "nf_conntrack");
const NF_CT_NETLINK: Feature = module("NF_CT_NETLINK", "nf_conntrack_netlink");
const NFT_CT: Feature = module("NFT_CT", "nft_ct");
const NFT_FIB: Feature = module("NFT_FIB_INET", "nft_fib_inet");
const NFT_MASQ: Feature = module("NFT_MASQ", "nft_masq");
const NFT_NAT: Feature = module("NFT_NAT", "nft_nat");

/// What a call needs beyond what each kernel with a network has.
pub(super) fn needed(call: Call) -> &'static [Feature] {
    match call {
        Call::LinksCreateMacvlan => &[MACVLAN],
        Call::LinksCreateBridge
        | Call::BridgePortsSetHairpin
        | Call::BridgePortsSetIsolated
        | Call::BridgePortsSetLearning => &[BRIDGE],
        Call::LinksCreateVeth => &[VETH],
        Call::LinksCreateIpvlan => &[IPVLAN],
        Call::LinksCreateMacvtap => &[MACVTAP],
        Call::LinksCreateVlan => &[VLAN],
        Call::LinksCreateVxlan => &[VXLAN],
        Call::LinksCreateVrf => &[VRF],
        Call::LinksCreateDummy => &[DUMMY],
        Call::LinksCreateIfb => &[IFB],
        Call::LinksCreateTap => &[TUN],
        Call::LinksCreateWireguard
        | Call::WireguardSetPrivateKey
        | Call::WireguardSetListenPort
        | Call::WireguardSetPeer
        | Call::WireguardRemovePeer
        | Call::WireguardInfo => &[WIREGUARD],
        Call::BridgePortsVlans | Call::BridgePortsAddVlans | Call::BridgePortsRemoveVlans => {
            &[BRIDGE, BRIDGE_VLANS]
        }
        Call::RulesAdd | Call::RulesRemove | Call::RulesList => &[RULES, RULES_V6],
        Call::AnnounceGratuitousArp => &[PACKET],
        Call::AnnounceNeighbourAdvertisement => &[IPV6],
        Call::TrafficSetTbf => &[SCH_TBF],
        Call::TrafficSetHtb => &[SCH_HTB],
        Call::TrafficAddHtbClass => &[SCH_HTB, CLS_U32],
        Call::TrafficRedirectIngress => &[SCH_INGRESS, CLS_U32, ACT_MIRRED],
        Call::FirewallMasquerade => &[NF_TABLES, NF_INET, NF_CONNTRACK, NFT_MASQ],
        Call::FirewallSourceAddress => &[NF_TABLES, NF_INET, NF_CONNTRACK, NFT_NAT],
        Call::FirewallPublish => &[
            NF_TABLES,
            NF_INET,
            NF_CONNTRACK,
            NF_CT_NETLINK,
            NFT_NAT,
            NFT_MASQ,
            NFT_FIB,
        ],
        Call::FirewallIsolate => &[NF_TABLES, NF_INET],
        Call::FirewallSpoofCheck => &[NF_TABLES, NF_BRIDGE],
        Call::FirewallAccept | Call::FirewallDrop => {
            &[NF_TABLES, NF_INET, NF_CONNTRACK, NF_CT_NETLINK, NFT_CT]
        }
        _ => &[],
    }
}

/// Whether a driver can do nothing without it: it makes the links that
/// containers get. An ifb only carries packets of others, for rates.
pub(super) fn is_vital(call: Call) -> bool {
    call.makes().is_some() && call != Call::LinksCreateIfb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_anything_needs_something() {
        for call in Call::ALL {
            let name = call.name();
            let makes = ["links.create-", "firewall.", "wireguard."];
            let makes = makes.iter().any(|start| name.starts_with(start));
            assert!(!makes || !needed(*call).is_empty(), "{name}");
        }
    }
}
