//! `links.create-macvlan`.

use kernel::kinds::{Macvlan, MacvlanMode};
use policy::Call;
use types::Mac;

use super::LinkHandle;
use super::make::Wanted;
use crate::driver::wit::links::{self, MacvlanOptions};
use crate::driver::wit::types::Place;

impl Wanted {
    /// Returns a macvlan link. `sources` is for the mode `source`.
    pub(in crate::gate::links) fn macvlan(
        place: Place,
        name: Option<String>,
        parent: LinkHandle,
        options: MacvlanOptions,
        sources: Vec<Mac>,
    ) -> Self {
        Self {
            call: Call::LinksCreateMacvlan,
            place,
            name,
            kind: macvlan(&parent, &options, sources).into(),
            mac: options.mac,
            mtu: options.mtu,
            parent: Some(parent),
        }
    }
}

/// Converts the options that macvlan and macvtap links have in common.
pub(super) fn macvlan(parent: &LinkHandle, options: &MacvlanOptions, sources: Vec<Mac>) -> Macvlan {
    let mode = match options.mode {
        links::MacvlanMode::Private => MacvlanMode::Private,
        links::MacvlanMode::Vepa => MacvlanMode::Vepa,
        links::MacvlanMode::Bridge => MacvlanMode::Bridge,
        links::MacvlanMode::Passthru => MacvlanMode::Passthru,
        links::MacvlanMode::Source => MacvlanMode::Source,
    };
    Macvlan {
        parent: parent.id,
        mode,
        sources: match mode {
            MacvlanMode::Source => sources,
            _ => Vec::new(),
        },
        broadcast_limit: options.broadcast_limit,
        broadcast_queue_length: options.broadcast_queue_length,
    }
}
