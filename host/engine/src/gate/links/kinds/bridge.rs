//! `links.create-bridge`.

use kernel::kinds::Bridge;
use policy::Call;

use super::make::Wanted;
use crate::driver::wit::links::BridgeOptions;
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns a bridge.
    pub(in crate::gate::links) fn bridge(
        place: Place,
        name: Option<String>,
        options: BridgeOptions,
    ) -> Self {
        Self {
            call: Call::LinksCreateBridge,
            place,
            name,
            mac: options.mac,
            mtu: options.mtu,
            kind: Bridge {
                vlan_filtering: options.vlan_filtering,
            }
            .into(),
            parent: None,
        }
    }
}
