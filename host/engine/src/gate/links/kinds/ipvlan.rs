//! `links.create-ipvlan`.

use kernel::kinds::{Ipvlan, IpvlanIsolation, IpvlanMode};
use policy::Call;

use super::LinkHandle;
use super::make::Wanted;
use crate::driver::wit::links::{self, IpvlanOptions};
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns an ipvlan link.
    pub(in crate::gate::links) fn ipvlan(
        place: Place,
        name: Option<String>,
        parent: LinkHandle,
        options: &IpvlanOptions,
    ) -> Self {
        let kind = Ipvlan {
            parent: parent.id,
            mode: match options.mode {
                links::IpvlanMode::L2 => IpvlanMode::L2,
                links::IpvlanMode::L3 => IpvlanMode::L3,
                links::IpvlanMode::L3s => IpvlanMode::L3s,
            },
            isolation: match options.isolation {
                links::IpvlanIsolation::Bridge => IpvlanIsolation::Bridge,
                links::IpvlanIsolation::Private => IpvlanIsolation::Private,
                links::IpvlanIsolation::Vepa => IpvlanIsolation::Vepa,
            },
        };
        Self {
            call: Call::LinksCreateIpvlan,
            place,
            name,
            mac: None,
            mtu: options.mtu,
            kind: kind.into(),
            parent: Some(parent),
        }
    }
}
