//! `links.create-macvlan`.

use wasmtime::component::Resource;

use super::{LinkHandle, make};
use crate::driver::wit::links::{MacvlanMode as Mode, MacvlanOptions};
use crate::driver::wit::types::Place;
use crate::gate::Gate;
use crate::gate::perform::{CallError, invalid};
use crate::grant::Call;
use crate::kernel::{LinkKind, Macvlan, MacvlanMode, NewLink};
use crate::net::LinkName;

impl Gate {
    pub(super) fn make_macvlan(
        &mut self,
        place: Place,
        name: String,
        parent: &Resource<LinkHandle>,
        options: MacvlanOptions,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let call = Call::LinksCreateMacvlan;
        let parent = self.link(parent)?;
        let link = NewLink {
            namespace: place.namespace(),
            name: LinkName::try_from(name).map_err(|error| invalid(call, &error))?,
            mac: make::mac(options.mac).map_err(|error| invalid(call, &error))?,
            mtu: options.mtu,
            kind: LinkKind::Macvlan(Macvlan {
                parent: parent.id,
                mode: mode(options.mode),
                broadcast_limit: options.broadcast_limit,
                broadcast_queue_length: options.broadcast_queue_length,
            }),
        };
        self.make_link(call, place, &link, Some(&parent))
    }
}

fn mode(mode: Mode) -> MacvlanMode {
    match mode {
        Mode::Private => MacvlanMode::Private,
        Mode::Vepa => MacvlanMode::Vepa,
        Mode::Bridge => MacvlanMode::Bridge,
        Mode::Passthru => MacvlanMode::Passthru,
        Mode::Source => MacvlanMode::Source,
    }
}
