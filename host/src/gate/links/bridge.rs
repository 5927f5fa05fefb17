//! `links.create-bridge`.

use wasmtime::component::Resource;

use super::{LinkHandle, make};
use crate::driver::wit::links::BridgeOptions;
use crate::driver::wit::types::Place;
use crate::gate::Gate;
use crate::gate::perform::{CallError, invalid};
use crate::grant::Call;
use crate::kernel::{LinkKind, NewLink};
use crate::net::LinkName;

impl Gate {
    pub(super) fn make_bridge(
        &mut self,
        place: Place,
        name: String,
        options: BridgeOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksCreateBridge;
        let link = NewLink {
            namespace: place.namespace(),
            name: LinkName::try_from(name).map_err(|error| invalid(call, &error))?,
            mac: make::mac(options.mac).map_err(|error| invalid(call, &error))?,
            mtu: options.mtu,
            kind: LinkKind::Bridge,
        };
        self.make_link(call, place, &link, None)
    }
}
