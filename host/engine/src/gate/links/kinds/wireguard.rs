//! `links.create-wireguard`.

use kernel::kinds::Wireguard;
use policy::Call;

use super::make::Wanted;
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns a WireGuard link.
    pub(in crate::gate::links) fn wireguard(
        place: Place,
        name: Option<String>,
        mtu: Option<u32>,
    ) -> Self {
        Self {
            call: Call::LinksCreateWireguard,
            place,
            name,
            mac: None,
            mtu,
            kind: Wireguard.into(),
            parent: None,
        }
    }
}
