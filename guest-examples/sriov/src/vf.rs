//! The container's VF.

use wasmvark_guest::links::{self, Link};
use wasmvark_guest::types::{Error, Namespace, Network, Request};
use wasmvark_guest::{announce, is_v6, without_prefix};

use crate::options::Options;

/// The time that a VF's link may take to get a carrier, in milliseconds.
const CARRIER: u32 = 5000;

/// A VF that this container uses.
#[derive(Debug)]
pub(crate) struct Vf {
    card: Link,
    number: u32,
    /// The VF's link.
    pub(crate) link: Link,
}

/// Returns the name of the network's card.
pub(crate) fn card(network: &Network) -> Result<&str, Error> {
    network.parent.as_deref().ok_or_else(|| {
        Error::Invalid(
            "no network card is specified: give --interface-name NAME or -o parent=NAME".to_owned(),
        )
    })
}

impl Vf {
    /// Has the container use the wished VF of a card, or the first one that is free.
    pub(crate) fn choose(network: &Network, wished: Option<u32>) -> Result<Self, Error> {
        let name = card(network)?;
        let card = links::get(Namespace::Host, name)?;
        if let Some(number) = wished {
            let link = links::use_vf(&card, number)?;
            return Ok(Self { card, number, link });
        }
        let vfs = links::vfs(&card)?;
        let count = vfs.len();
        for vf in vfs {
            let number = vf.number;
            match links::use_vf(&card, number) {
                Ok(link) => return Ok(Self { card, number, link }),
                Err(Error::Busy(_) | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(none_free(name, count))
    }

    /// Sets the properties that the card has of the VF. The VF's link isn't in the
    /// container yet, so that the container never has the VF without them.
    pub(crate) fn set(&self, options: &Options, mac: Option<&str>) -> Result<(), Error> {
        let (card, number) = (&self.card, self.number);
        if mac.is_some() {
            links::set_vf_mac(card, number, mac)?;
        }
        if let Some(vlan) = options.vlan {
            links::set_vf_vlan(card, number, vlan)?;
        }
        if let Some(on) = options.spoof_check {
            links::set_vf_spoof_check(card, number, on)?;
        }
        if let Some(on) = options.trust {
            links::set_vf_trust(card, number, on)?;
        }
        if let Some(state) = options.link_state {
            links::set_vf_link_state(card, number, state)?;
        }
        if let Some((min, max)) = options.rates {
            links::set_vf_rate(card, number, min, max)?;
        }
        Ok(())
    }
}

/// Announces the container's addresses once the VF has a carrier.
///
/// Hardware gets one a while after its link is set up, and the kernel's own announcements
/// are lost before.
pub(crate) fn announce(link: &Link, request: &Request) -> Result<(), Error> {
    match links::wait_carrier(link, CARRIER) {
        // Without a carrier there is nobody to tell.
        Err(Error::Busy(_)) => return Ok(()),
        result => result?,
    }
    for address in &request.addresses {
        let address = without_prefix(address);
        match is_v6(address) {
            false => announce::gratuitous_arp(link, address)?,
            true => announce::neighbour_advertisement(link, address)?,
        }
    }
    Ok(())
}

/// Returns the error for a card without a free VF.
fn none_free(card: &str, count: usize) -> Error {
    match count {
        0 => Error::NotFound(format!(
            "{card} has no VFs: a card with SR-IOV makes them when their number is written to \
             /sys/class/net/{card}/device/sriov_numvfs"
        )),
        count => Error::Busy(format!(
            "all {count} VFs of {card} are in use: stop a container that has one, or make more \
             (/sys/class/net/{card}/device/sriov_numvfs, while none is in use)"
        )),
    }
}
