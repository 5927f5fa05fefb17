//! Finding one link by a property: its index, its MAC address or its device.

use nix::errno::Errno;
use types::{DevicePath, LinkProperty, PciAddress};

use super::{KernelError, LinkState};

/// A link with the properties that it can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLink {
    /// The link.
    pub state: LinkState,
    /// The index of the parent, if it's in the same namespace (IFLA_LINK).
    /// Links with a peer, as veth links, have none.
    pub lower: Option<u32>,
    /// The address of the link's PCI device.
    pub pci: Option<PciAddress>,
    /// The path of the link's device.
    pub device: Option<DevicePath>,
}

/// Returns the link that has a property.
///
/// Many links share the MAC address of another one: VLANs have their parent's,
/// bridges and bonds have that of a port. So the permanent address of hardware
/// takes precedence over the current address of a link. A link is passed over
/// if its parent or one of its ports has the same address.
pub fn find(links: &[PlacedLink], property: &LinkProperty) -> Result<LinkState, KernelError> {
    let found = match property {
        LinkProperty::Index(index) => matching(links, |link| link.state.index == *index),
        LinkProperty::Pci(address) => matching(links, |link| link.pci.as_ref() == Some(address)),
        LinkProperty::Path(path) => matching(links, |link| link.device.as_ref() == Some(path)),
        LinkProperty::Mac(mac) => {
            let permanent = matching(links, |link| link.state.permanent_mac == Some(*mac));
            let found = match permanent.is_empty() {
                true => matching(links, |link| link.state.mac == Some(*mac)),
                false => permanent,
            };
            lowest(&found)
        }
    };
    match found.as_slice() {
        [] => Err(KernelError::NotFound(format!(
            "no link in reach has {property}"
        ))),
        [one] => Ok(one.state.clone()),
        several => Err(ambiguous(several, property)),
    }
}

fn matching(links: &[PlacedLink], is_match: impl Fn(&PlacedLink) -> bool) -> Vec<&PlacedLink> {
    links.iter().filter(|link| is_match(link)).collect()
}

/// Leaves out links whose parent or port is among the found ones.
fn lowest<'a>(found: &[&'a PlacedLink]) -> Vec<&'a PlacedLink> {
    let is_above = |link: &PlacedLink, other: &PlacedLink| {
        let (link_index, other_index) = (link.state.index, other.state.index);
        link.lower == Some(other_index) || other.state.master == Some(link_index)
    };
    let found = found.iter().copied();
    found
        .clone()
        .filter(|link| !found.clone().any(|other| is_above(link, other)))
        .collect()
}

fn ambiguous(links: &[&PlacedLink], property: &LinkProperty) -> KernelError {
    let names = links.iter().map(|link| link.state.name.as_str());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    KernelError::Refused {
        errno: Errno::EINVAL,
        text: format!(
            "{} all have {property}: give the link's name instead",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "02:00:00:00:00:01";
    const OTHER: &str = "02:00:00:00:00:02";

    fn link(index: u32, mac: &str) -> PlacedLink {
        PlacedLink {
            state: LinkState {
                mac: Some(mac.parse().unwrap()),
                up: true,
                ..LinkState::new(format!("l{index}").parse().unwrap(), index)
            },
            lower: None,
            pci: None,
            device: None,
        }
    }

    fn card(index: u32, mac: &str, permanent: &str) -> PlacedLink {
        let mut link = link(index, mac);
        link.state.permanent_mac = Some(permanent.parse().unwrap());
        link
    }

    fn above(link: PlacedLink, lower: u32) -> PlacedLink {
        PlacedLink {
            lower: Some(lower),
            ..link
        }
    }

    fn port_of(mut link: PlacedLink, master: u32) -> PlacedLink {
        link.state.master = Some(master);
        link
    }

    fn by_mac(links: &[PlacedLink]) -> String {
        match find(links, &LinkProperty::Mac(MAC.parse().unwrap())) {
            Ok(state) => state.name.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn hardware_keeps_its_address() {
        assert_eq!(by_mac(&[link(1, OTHER), link(2, MAC)]), "l2");
        assert_eq!(by_mac(&[link(2, MAC), card(3, OTHER, MAC)]), "l3");
        // A VLAN has its parent's permanent address too.
        let vlan = above(card(4, OTHER, MAC), 3);
        assert_eq!(by_mac(&[vlan, card(3, OTHER, MAC)]), "l3");
    }

    #[test]
    fn what_lies_above_is_passed_over() {
        let (card, vlan) = (link(1, MAC), above(link(2, MAC), 1));
        let double = above(link(3, MAC), 2);
        assert_eq!(by_mac(&[double, vlan, card]), "l1");
        assert_eq!(by_mac(&[link(2, MAC), port_of(link(1, MAC), 2)]), "l1");
        // A link with another address than its parent's is found by it.
        assert_eq!(by_mac(&[above(link(2, MAC), 1), link(1, OTHER)]), "l2");
    }

    #[test]
    fn two_are_one_too_many() {
        let error = by_mac(&[link(1, MAC), link(2, MAC)]);
        assert!(
            error.starts_with("l1, l2 all have the MAC address 02:00:00:00:00:01"),
            "{error}"
        );
        assert_eq!(
            by_mac(&[link(1, OTHER)]),
            "no link in reach has the MAC address 02:00:00:00:00:01"
        );
    }

    #[test]
    fn devices_are_compared_as_a_whole() {
        let mut on_device = link(1, MAC);
        on_device.pci = Some("0000:00:1f.6".parse().unwrap());
        on_device.device = Some("/sys/devices/pci0000:00/0000:00:1f.6".parse().unwrap());
        let links = [on_device, link(2, MAC)];
        let found = |property| find(&links, &property).map(|state| state.index).ok();
        let pci = |text: &str| LinkProperty::Pci(text.parse().unwrap());
        let path = |text: &str| LinkProperty::Path(text.parse().unwrap());
        assert_eq!(found(pci("00:1f.6")), Some(1));
        assert_eq!(found(pci("00:1f.5")), None);
        assert_eq!(found(path("/sys/devices/pci0000:00/0000:00:1f.6")), Some(1));
        assert_eq!(found(path("/sys/devices/pci0000:00")), None);
        assert_eq!(found(LinkProperty::Index(2)), Some(2));
    }
}
