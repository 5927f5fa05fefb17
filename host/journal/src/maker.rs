//! The network whose containers made a link of the host.

use std::path::Path;

use kernel::NetnsId;
use types::{LinkName, Namespace, NetworkId};

use super::{Change, Here, Journal, folder};

/// Returns the network that shares a link of the host, apart from one network. Journals
/// that can't be read are left out.
pub fn maker_of(
    journals: &Path,
    name: &LinkName,
    host: NetnsId,
    except: &NetworkId,
) -> Option<NetworkId> {
    let here = Here {
        host,
        container: None,
    };
    let keys = folder::all(journals).into_iter();
    let mut others = keys.filter(|key| key.network != *except);
    let maker = others.find(|key| {
        let journal = Journal::open(journals, key, here);
        journal.is_ok_and(|journal| has_made(&journal, name))
    });
    maker.map(|key| key.network)
}

/// Whether a journal says that a shared link of the host was made.
fn has_made(journal: &Journal, name: &LinkName) -> bool {
    let mut entries = journal.entries_of(Namespace::Host);
    entries.any(|entry| {
        entry.shared
            && matches!(&entry.change, Change::MakeLink { namespace: Namespace::Host, name: its, .. }
                if its == name)
    })
}
