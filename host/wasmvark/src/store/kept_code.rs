//! Precompiled code of components that aren't installed. A plan keeps it, so that an author's
//! next plan of the same component begins at once.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use engine::driver::Code;
use trust::{self, Above};
use types::Digest;

use super::files::Notes;
use super::{Intact, Store, StoreError, files};

/// The number of components whose code is kept.
const KEPT: usize = 16;
/// The mode of the folder. The code is run, so it is nobody else's.
const FOLDER_MODE: u32 = 0o700;
/// The extension of code.
const EXTENSION: &str = "cwasm";

impl Store {
    /// Returns the file with a component's kept code, if there is one that is intact, was
    /// made by this program for this processor, and could be written by nobody else.
    pub(crate) fn kept_code(&self, digest: &Digest) -> Option<PathBuf> {
        let path = path(self.layout().cache.as_deref()?, digest);
        let is_intact = files::check(&path, Some(&Code::maker())) == Intact::Yes;
        (is_intact && trust::check(&path).is_ok()).then_some(path)
    }

    /// Keeps a component's code, and forgets the oldest if there is much.
    ///
    /// # Errors
    ///
    /// The file can't be written. Then the next plan compiles again.
    pub(crate) fn keep_code(&self, digest: &Digest, code: &[u8]) -> Result<(), StoreError> {
        let Some(folder) = self.layout().cache.as_deref() else {
            return Ok(());
        };
        trust::make_folder(folder, FOLDER_MODE, Above::Ours)?;
        let notes = Notes {
            maker: Some(Code::maker()),
            options: None,
        };
        files::write_stamped(&path(folder, digest), code, notes)?;
        prune(folder);
        Ok(())
    }
}

fn path(folder: &Path, digest: &Digest) -> PathBuf {
    folder.join(format!("{}.{EXTENSION}", digest.hex()))
}

/// Removes all code but the newest. What can't be removed stays.
fn prune(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let code = entries
        .filter(|entry| Path::new(&entry.file_name()).extension() == Some(EXTENSION.as_ref()));
    let mut code: Vec<(SystemTime, PathBuf)> = code
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    code.sort();
    let surplus = code.len().saturating_sub(KEPT);
    for (_, path) in code.into_iter().take(surplus) {
        let _ = files::remove_stamped(&path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;

    fn store(root: &Path) -> Store {
        Store::new(Layout::choose(Some(root)).unwrap())
    }

    #[test]
    fn code_is_kept_for_its_component() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path());
        let digest = Digest::of(b"component");
        assert_eq!(store.kept_code(&digest), None);
        store.keep_code(&digest, b"code").unwrap();
        let path = store.kept_code(&digest).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"code");
        assert_eq!(store.kept_code(&Digest::of(b"other")), None);
        files::tests::rewrite(&path, b"evil");
        assert_eq!(store.kept_code(&digest), None);
    }

    #[test]
    fn the_oldest_code_is_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path());
        let digests: Vec<Digest> = (0..=KEPT)
            .map(|n| Digest::of(n.to_string().as_bytes()))
            .collect();
        let hour = std::time::Duration::from_secs(3600);
        for (age, digest) in (1..).zip(&digests) {
            store.keep_code(digest, b"code").unwrap();
            let path = path(store.layout().cache.as_deref().unwrap(), digest);
            let file = std::fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - hour * age).unwrap();
        }
        let cache = std::fs::read_dir(store.layout().cache.as_deref().unwrap());
        assert_eq!(cache.unwrap().count(), 2 * KEPT, "code and stamps");
    }
}
