//! Parents that are VLANs of other links, as `eth0.10`. The network makes such a parent
//! if it's missing.

use crate::check_parent;
use crate::links::{self, Link, VlanOptions, VlanProtocol};
use crate::setup::find_parent;
use crate::types::{Error, Namespace, Network, Place};

/// The highest number of a VLAN (IEEE 802.1Q).
const VLAN_MAX: u16 = 4094;

/// Returns the user's parent, or else the default route's link. A VLAN that is missing is
/// made, and goes with the network's last container.
pub fn find_or_make_parent(network: &Network) -> Result<Link, Error> {
    let Some((parent, base, id)) = vlan_of(network) else {
        return find_parent(network);
    };
    let base = match links::get(Namespace::Host, base) {
        Err(Error::NotFound(_)) => return find_parent(network),
        found => found?,
    };
    let options = VlanOptions {
        id,
        protocol: VlanProtocol::Dot1q,
        mac: None,
        mtu: None,
    };
    match links::create_vlan(Place::Shared, Some(parent), &base, &options) {
        Ok(link) => links::set_up(&link).map(|()| link),
        // Somebody else has made it, and it stays.
        Err(Error::Exists(_)) => find_parent(network),
        // It may be there, so that the call isn't needed.
        Err(Error::Denied(text)) => find_parent(network).map_err(|_| Error::Denied(text)),
        Err(error) => Err(error),
    }
}

/// Checks that the user's parent exists, or the link that it's to be a VLAN of.
pub fn check_parent_or_base(network: &Network) -> Result<(), Error> {
    let checked = check_parent(network);
    match (&checked, vlan_of(network)) {
        (Err(Error::NotFound(_)), Some((_, base, _))) => match links::get(Namespace::Host, base) {
            Ok(_) => Ok(()),
            Err(_) => checked,
        },
        _ => checked,
    }
}

/// Returns the parent's name with the link and the number of the VLAN that it means.
fn vlan_of(network: &Network) -> Option<(&str, &str, u16)> {
    let parent = network.parent.as_deref()?;
    let (base, id) = parent.rsplit_once('.')?;
    let number: u16 = id.parse().ok()?;
    let is_vlan = !base.is_empty() && number.to_string() == id && (1..=VLAN_MAX).contains(&number);
    is_vlan.then_some((parent, base, number))
}
