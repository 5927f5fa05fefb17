//! A cache of compiled drivers. Each driver is compiled only once per test program,
//! because this takes longer than most tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The code of each component with its stamp, by the file name, which contains the
/// component's digest.
type Kept = BTreeMap<PathBuf, Arc<(Vec<u8>, Vec<u8>)>>;

static KEPT: Mutex<Kept> = Mutex::new(BTreeMap::new());

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the code to the store if an earlier test has compiled it.
pub(crate) fn put(code: &Path) {
    let kept = code
        .file_name()
        .and_then(|name| kept().get(Path::new(name)).cloned());
    let Some(files) = kept.filter(|_| !code.exists()) else {
        return;
    };
    let folder = code.parent().expect("it has a folder");
    fs::create_dir_all(folder).expect("the folder can be made");
    for (path, bytes) in [(code.to_owned(), &files.0), (stamp(code), &files.1)] {
        fs::write(path, bytes).expect("code can be written");
    }
}

/// Adds the program's compiled code to the cache.
pub(crate) fn keep(code: &Path) {
    let Some(name) = code.file_name() else { return };
    let mut kept = kept();
    if kept.contains_key(Path::new(name)) {
        return;
    }
    if let (Ok(bytes), Ok(stamp)) = (fs::read(code), fs::read(stamp(code))) {
        kept.insert(name.into(), Arc::new((bytes, stamp)));
    }
}

fn stamp(code: &Path) -> PathBuf {
    code.with_added_extension("stamp")
}
