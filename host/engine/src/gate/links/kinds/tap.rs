//! `links.create-tap`.

use kernel::kinds::Tap;
use policy::Call;

use super::make::Wanted;
use crate::driver::wit::links::TapOptions;
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns a tap.
    pub(in crate::gate::links) fn tap(
        place: Place,
        name: Option<String>,
        options: TapOptions,
    ) -> Self {
        let kind = Tap {
            owner: options.owner,
            group: options.group,
            multi_queue: options.multi_queue,
        };
        Self {
            call: Call::LinksCreateTap,
            place,
            name,
            mac: options.mac,
            mtu: options.mtu,
            kind: kind.into(),
            parent: None,
        }
    }
}
