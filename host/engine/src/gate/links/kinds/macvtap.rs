//! `links.create-macvtap`.

use kernel::kinds::Macvtap;
use policy::Call;
use types::Mac;

use super::LinkHandle;
use super::macvlan::macvlan;
use super::make::Wanted;
use crate::driver::wit::links::MacvlanOptions;
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns a macvtap link. `sources` is for the mode `source`.
    pub(in crate::gate::links) fn macvtap(
        place: Place,
        name: Option<String>,
        parent: LinkHandle,
        options: MacvlanOptions,
        sources: Vec<Mac>,
    ) -> Self {
        Self {
            call: Call::LinksCreateMacvtap,
            place,
            name,
            kind: Macvtap(macvlan(&parent, &options, sources)).into(),
            mac: options.mac,
            mtu: options.mtu,
            parent: Some(parent),
        }
    }
}
