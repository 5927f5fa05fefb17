//! Journals, as a crash or another version leaves them.

use std::fs;
use std::path::{Path, PathBuf};

use journal::{Here, Journal, JournalError};
use kernel::NetnsId;
use types::Key;

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder can be made");
}

pub(crate) fn run(input: &[u8]) {
    FOLDER.with(|folder| try_in(folder.path(), input));
}

fn try_in(folder: &Path, input: &[u8]) {
    let key = key();
    let path = file(folder, &key);
    // Lines of another boot don't count.
    fs::write(&path, [boot_line().as_bytes(), input].concat()).expect("a file can be written");
    let Ok(mut journal) = open(folder, &key) else {
        return;
    };
    reads(&journal);
    let numbers: Vec<u32> = journal.entries().iter().map(|entry| entry.number).collect();
    for number in numbers {
        journal.void(number).expect("an entry can be undone");
    }
    assert!(journal.entries().is_empty());
    let again = open(folder, &key).expect("a journal that was written");
    assert!(again.entries().is_empty(), "{:?}", again.entries());
    assert!(!again.is_abandoned() && !again.is_in_use());
}

/// What every run asks of it.
fn reads(journal: &Journal) {
    let _ = (
        journal.is_abandoned(),
        journal.is_in_use(),
        journal.is_leaving(),
    );
    let own: Vec<_> = journal.own_links().collect();
    for (link, name) in own {
        assert!(journal.owns(link, name));
        let _ = journal.entry_of(link, name);
    }
    for entry in journal.entries() {
        let _ = entry.change.to_string();
        let _ = journal.is_shared(entry);
        let _ = journal.uses_table_of(entry);
    }
    let _ = (
        journal.has_missing(),
        journal.has_shared_link(),
        journal.renaming().count(),
    );
}

fn open(folder: &Path, key: &Key) -> Result<Journal, JournalError> {
    let here = Here {
        host: NetnsId::new(4, 1),
        container: Some(NetnsId::new(4, 2)),
    };
    Journal::open(folder, key, here)
}

fn key() -> Key {
    Key {
        network: "net".to_owned().try_into().expect("an id"),
        container: "ctr".to_owned().try_into().expect("an id"),
    }
}

fn file(folder: &Path, key: &Key) -> PathBuf {
    let network = folder.join(key.network.to_string());
    fs::create_dir_all(&network).expect("a folder can be made");
    network.join(format!("{}.jsonl", key.container))
}

fn boot_line() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{{\"boot\":\"{}\"}}\n", boot.trim())
}
