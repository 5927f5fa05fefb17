//! The network whose containers have a link of the host.

use std::path::Path;

use kernel::NetnsId;
use types::{LinkName, Namespace, NetworkId};

use super::{Change, Here, Journal, folder};

/// Returns the network whose containers share a link of the host, or use it as their
/// bridge. Journals that can't be read are left out.
///
/// The journals of one network are looked at `first`. If it's that one, no others are
/// read.
pub fn maker_of(
    journals: &Path,
    name: &LinkName,
    host: NetnsId,
    first: &NetworkId,
) -> Option<NetworkId> {
    let here = Here {
        host,
        container: None,
    };
    let own = folder::of_network(journals, first).into_iter();
    let others = || {
        let keys = folder::all(journals).into_iter();
        keys.filter(|key| key.network != *first)
    };
    let has = |key: &types::Key| {
        let journal = Journal::open(journals, key, here);
        journal.is_ok_and(|journal| has_link(&journal, name))
    };
    let found = own
        .into_iter()
        .find(has)
        .or_else(|| others().find(|key| has(key)));
    found.map(|key| key.network)
}

/// Whether a journal says that a shared link of the host was made, or is used.
fn has_link(journal: &Journal, name: &LinkName) -> bool {
    let mut entries = journal.entries_of(Namespace::Host);
    entries.any(|entry| match &entry.change {
        Change::MakeLink {
            namespace: Namespace::Host,
            name: its,
            ..
        }
        | Change::UseBridge { name: its, .. } => entry.shared && its == name,
        _ => false,
    })
}
