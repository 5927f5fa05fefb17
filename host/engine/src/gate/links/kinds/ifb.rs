//! `links.create-ifb`.

use kernel::kinds::Ifb;
use policy::Call;

use super::make::Wanted;
use crate::driver::wit::links::PlainOptions;
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns an IFB.
    pub(in crate::gate::links) fn ifb(
        place: Place,
        name: Option<String>,
        options: PlainOptions,
    ) -> Self {
        Self {
            call: Call::LinksCreateIfb,
            place,
            name,
            mac: options.mac,
            mtu: options.mtu,
            kind: Ifb.into(),
            parent: None,
        }
    }
}
