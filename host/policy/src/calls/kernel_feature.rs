//! Parts of the kernel that not every kernel with a network has.

macro_rules! features {
    ($($variant:ident = $option:literal $(in $module:literal)?,)*) => {
        /// A part of the kernel, by its option in the kernel's configuration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum KernelFeature {
            $(
                #[doc = concat!("`CONFIG_", $option, "`")]
                $variant,
            )*
        }

        impl KernelFeature {
            /// All of them, in the order of their options.
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What it is called in the kernel's configuration, without `CONFIG_`.
            pub const fn option(self) -> &'static str {
                match self {
                    $(Self::$variant => $option,)*
                }
            }

            /// The module, where it can be one.
            pub const fn module(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => features!(@module $($module)?),)*
                }
            }
        }
    };
    (@module) => { None };
    (@module $module:literal) => { Some($module) };
}

features! {
    Bridge = "BRIDGE" in "bridge",
    BridgeVlanFiltering = "BRIDGE_VLAN_FILTERING",
    Dummy = "DUMMY" in "dummy",
    Ifb = "IFB" in "ifb",
    Ipv6 = "IPV6" in "ipv6",
    Ipv6MultipleTables = "IPV6_MULTIPLE_TABLES",
    Ipvlan = "IPVLAN" in "ipvlan",
    IpMultipleTables = "IP_MULTIPLE_TABLES",
    Macvlan = "MACVLAN" in "macvlan",
    Macvtap = "MACVTAP" in "macvtap",
    NetActMirred = "NET_ACT_MIRRED" in "act_mirred",
    NetClsU32 = "NET_CLS_U32" in "cls_u32",
    NetSchHtb = "NET_SCH_HTB" in "sch_htb",
    NetSchIngress = "NET_SCH_INGRESS" in "sch_ingress",
    NetSchTbf = "NET_SCH_TBF" in "sch_tbf",
    NetVrf = "NET_VRF" in "vrf",
    NftCt = "NFT_CT" in "nft_ct",
    NftFibInet = "NFT_FIB_INET" in "nft_fib_inet",
    NftMasq = "NFT_MASQ" in "nft_masq",
    NftNat = "NFT_NAT" in "nft_nat",
    NfConntrack = "NF_CONNTRACK" in "nf_conntrack",
    NfCtNetlink = "NF_CT_NETLINK" in "nf_conntrack_netlink",
    NfTables = "NF_TABLES" in "nf_tables",
    NfTablesBridge = "NF_TABLES_BRIDGE",
    NfTablesInet = "NF_TABLES_INET",
    Packet = "PACKET" in "af_packet",
    Tun = "TUN" in "tun",
    Veth = "VETH" in "veth",
    Vlan8021q = "VLAN_8021Q" in "8021q",
    Vxlan = "VXLAN" in "vxlan",
    Wireguard = "WIREGUARD" in "wireguard",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_the_order_of_their_options() {
        assert!(KernelFeature::ALL.is_sorted_by_key(|feature| feature.option()));
    }
}
