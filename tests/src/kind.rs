//! Kinds of links that only some kernels have.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::netns::Netns;
use crate::process;

/// A kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of `ip`")]
pub enum Kind {
    Bond,
    Dummy,
    Ipvlan,
    Vlan,
    Vrf,
    Vxlan,
    Wireguard,
    /// A bridge with VLAN filtering.
    VlanBridge,
}

impl Kind {
    /// Returns the name for messages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Bond => "bond",
            Self::Dummy => "dummy",
            Self::Ipvlan => "ipvlan",
            Self::Vlan => "vlan",
            Self::Vrf => "vrf",
            Self::Vxlan => "vxlan",
            Self::Wireguard => "wireguard",
            Self::VlanBridge => "bridge with vlan filtering",
        }
    }

    /// Returns the command of `ip` that makes such a link, on `parent` if the kind
    /// needs one.
    pub fn command(self, name: &str, parent: &str) -> String {
        match self {
            Self::Ipvlan => format!("link add {name} link {parent} type ipvlan"),
            Self::Vlan => format!("link add {name} link {parent} type vlan id 7"),
            Self::Vrf => format!("link add {name} type vrf table 77"),
            Self::Vxlan => format!("link add {name} type vxlan id 7 dstport 4789"),
            Self::VlanBridge => format!("link add {name} type bridge vlan_filtering 1"),
            Self::Bond | Self::Dummy | Self::Wireguard => {
                format!("link add {name} type {}", self.title())
            }
        }
    }

    /// Whether the kernel has this kind. The first call tries to make such a link.
    pub fn is_there(self) -> bool {
        static KNOWN: Mutex<BTreeMap<Kind, bool>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().expect("no probe panics");
        *known.entry(self).or_insert_with(|| self.can_be_made())
    }

    fn can_be_made(self) -> bool {
        let netns = Netns::new();
        let can = |command: &str| {
            let mut ip = netns.command("ip");
            process::run(ip.args(command.split_whitespace()), b"").code == Some(0)
        };
        can("link add v0 type veth peer name v1") && can(&self.command("probe0", "v0"))
    }
}
