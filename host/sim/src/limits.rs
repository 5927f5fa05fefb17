//! What kinds of links let be changed: MTUs and MAC addresses.

use kernel::KernelError;
use nix::errno::Errno;
use types::Mac;

use super::link::{Link, Number, Origin, Other};
use super::machine::Machine;

/// ETH_MIN_MTU (`if_ether.h`)
const MIN_MTU: u32 = 68;
/// ETH_MAX_MTU
const MAX_MTU: u32 = 65_535;
/// MAX_MTU less the header of `tun.c`.
const TAP_MAX_MTU: u32 = MAX_MTU - 14;
/// IPV6_MIN_MTU and IP6_MAX_MTU, which VRFs have (`vrf_setup`).
const VRF_MTUS: (u32, u32) = (1280, 65_575);

impl Machine {
    /// Whether a link may have an MTU (`dev_validate_mtu`, `ndo_change_mtu`).
    pub(super) fn check_mtu(&self, number: Number, mtu: u32) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let below = match link.lower {
            Some(Other::Link(lower)) => self.links.get(&lower),
            _ => None,
        };
        let (mut least, mut most) = mtus_of(link);
        if let ("macvlan" | "macvtap", Some(below)) = (link.kind(), below) {
            // `macvlan_common_newlink`
            (least, most) = (MIN_MTU, mtus_of(below).1);
        }
        let is_within = |mtu: u32| mtu >= least && most.is_none_or(|most| mtu <= most);
        if i32::try_from(mtu).is_err() || !is_within(mtu) {
            return Err(Errno::EINVAL.into());
        }
        let Some(below) = below else { return Ok(()) };
        match link.kind() {
            // `macvlan_change_mtu`
            "macvlan" | "macvtap" if mtu > below.state.mtu => Err(Errno::EINVAL.into()),
            // `vxlan_change_mtu`
            "vxlan" if mtu > below.state.mtu.saturating_sub(link.headroom()) => {
                Err(Errno::EINVAL.into())
            }
            // `vlan_dev_change_mtu`
            "vlan" if mtu > below.state.mtu => Err(Errno::ERANGE.into()),
            _ => Ok(()),
        }
    }

    /// Whether a link may have a MAC address (`ndo_set_mac_address`).
    pub(super) fn check_mac(&self, number: Number, mac: Mac) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let lower = match link.lower {
            Some(Other::Link(lower)) => Some(lower),
            _ => None,
        };
        match (link.kind(), lower) {
            ("ifb" | "ipvlan" | "wireguard", _) => Err(Errno::EOPNOTSUPP.into()),
            // `dev_set_mac_address`
            _ if link.state.mac == Some(mac) => Ok(()),
            _ if !is_one_link(mac) => Err(Errno::EADDRNOTAVAIL.into()),
            ("macvlan" | "macvtap", Some(lower)) => match super::following::takes_all(link) {
                true => self.check_mac(lower, mac),
                false => self.check_free_mac(lower, mac),
            },
            _ => Ok(()),
        }
    }

    /// Whether neither a parent nor a macvlan link on it that is up has a MAC
    /// address (`macvlan_addr_busy`).
    pub(super) fn check_free_mac(&self, parent: Number, mac: Mac) -> Result<(), KernelError> {
        let has = |link: &Link| link.state.mac == Some(mac);
        let mut above = self.links.values().filter(|link| {
            link.lies_on(parent) && matches!(link.kind(), "macvlan" | "macvtap") && link.state.up
        });
        match self.links.get(&parent).is_some_and(has) || above.any(has) {
            true => Err(Errno::EADDRINUSE.into()),
            false => Ok(()),
        }
    }
}

/// The least and the largest MTU of a link by itself.
fn mtus_of(link: &Link) -> (u32, Option<u32>) {
    let (least, most) = mtus(link.kind());
    match link.origin {
        // Only its driver knows.
        Origin::Real(_) if link.kind.is_none() => (0, None),
        _ => (least, most),
    }
}

/// The same of a kind, while one is being made.
pub(super) fn mtus(kind: &str) -> (u32, Option<u32>) {
    match kind {
        "veth" | "bridge" | "vxlan" | "ipvlan" | "macvlan" | "macvtap" => (MIN_MTU, Some(MAX_MTU)),
        "vlan" => (0, Some(MAX_MTU)),
        "tun" => (MIN_MTU, Some(TAP_MAX_MTU)),
        "vrf" => (VRF_MTUS.0, Some(VRF_MTUS.1)),
        _ => (0, None),
    }
}

/// Whether a MAC address is that of one link (`is_valid_ether_addr`).
pub(super) fn is_one_link(mac: Mac) -> bool {
    let [first, ..] = mac.bytes();
    mac != Mac::NONE && first & 1 == 0
}
