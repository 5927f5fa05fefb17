//! Finding one link by what it is.

use nix::errno::Errno;
use types::{DevicePath, LinkProperty, PciAddress};

use super::{KernelError, LinkState};

/// A link with all that it can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLink {
    /// The link.
    pub state: LinkState,
    /// The index of the link of the same namespace that it lies on (IFLA_LINK):
    /// a VLAN's parent, but not the other end of a veth link.
    pub lower: Option<u32>,
    /// The PCI device that it's on.
    pub pci: Option<PciAddress>,
    /// The device that it's on.
    pub device: Option<DevicePath>,
}

/// The one of these links that has a property.
///
/// Many links have a MAC address from another one: VLANs from what they lie on,
/// bridges and bonds from their ports. So the address that hardware keeps comes
/// before the one that a link has now, and links that lie on another one with
/// the same address, or have it as a port, are passed over.
pub fn find(links: &[PlacedLink], property: &LinkProperty) -> Result<LinkState, KernelError> {
    let found = match property {
        LinkProperty::Index(index) => having(links, |link| link.state.index == *index),
        LinkProperty::Pci(address) => having(links, |link| link.pci.as_ref() == Some(address)),
        LinkProperty::Path(path) => having(links, |link| link.device.as_ref() == Some(path)),
        LinkProperty::Mac(mac) => {
            let keeping = having(links, |link| link.state.permanent_mac == Some(*mac));
            let found = match keeping.is_empty() {
                true => having(links, |link| link.state.mac == Some(*mac)),
                false => keeping,
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

fn having(links: &[PlacedLink], is_it: impl Fn(&PlacedLink) -> bool) -> Vec<&PlacedLink> {
    links.iter().filter(|link| is_it(link)).collect()
}

/// Those that have their address from no other of them.
fn lowest<'a>(found: &[&'a PlacedLink]) -> Vec<&'a PlacedLink> {
    let lies_above = |link: &PlacedLink, other: &PlacedLink| {
        let (link_index, other_index) = (link.state.index, other.state.index);
        link.lower == Some(other_index) || other.state.master == Some(link_index)
    };
    let found = found.iter().copied();
    found
        .clone()
        .filter(|link| !found.clone().any(|other| lies_above(link, other)))
        .collect()
}

fn ambiguous(links: &[&PlacedLink], property: &LinkProperty) -> KernelError {
    let names = links.iter().map(|link| link.state.name.as_str());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    KernelError::Refused {
        errno: Errno::EINVAL,
        text: format!(
            "{} all have {property}: say by its name which is meant",
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
        // With an address of its own it's no other's.
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
