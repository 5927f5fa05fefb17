//! `links.create-dummy`.

use kernel::kinds::Dummy;
use policy::Call;

use super::make::Wanted;
use crate::driver::wit::links::PlainOptions;
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns a dummy link.
    pub(in crate::gate::links) fn dummy(
        place: Place,
        name: Option<String>,
        options: PlainOptions,
    ) -> Self {
        Self {
            call: Call::LinksCreateDummy,
            place,
            name,
            mac: options.mac,
            mtu: options.mtu,
            kind: Dummy.into(),
            parent: None,
        }
    }
}
