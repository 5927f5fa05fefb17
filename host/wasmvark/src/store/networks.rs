//! What users said when they made networks, kept by the network's id. A driver
//! never gets to write here.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use request::KeptNetwork;
use types::NetworkId;

use super::{Layout, StoreError, files};

/// How many networks are kept. Podman has no more than there are subnets.
const NETWORKS_MAX: usize = 4096;
/// Bytes of what is kept of one network.
const SIZE_MAX: u64 = 64 << 10;
/// What is behind an id in the name of a file.
const SUFFIX: &str = ".json";
/// How long a network may be kept before Podman has it: `create` ends first.
const YOUNG: Duration = Duration::from_secs(3600);

/// Why a network can't be kept, or what is kept can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworksError {
    /// Files can't be read, written or trusted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file isn't what this program writes.
    #[error(
        "what is kept of the network {id} in {} can't be read ({why}): `wasmvark adopt {id}` makes \
         what Podman has of it the user's word",
        path.display()
    )]
    Corrupt {
        /// The network.
        id: NetworkId,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The network is larger than any sensible one.
    #[error(
        "the network {id} has {size} bytes, and at most {SIZE_MAX} are kept: give it fewer options"
    )]
    TooLarge {
        /// The network.
        id: NetworkId,
        /// Its size.
        size: usize,
    },
    /// There are too many.
    #[error(
        "{} has {NETWORKS_MAX} networks already, and no more are kept: `wasmvark gc` removes those \
         that Podman doesn't have any more",
        .0.display()
    )]
    Full(PathBuf),
}

/// The kept networks of an installation.
#[derive(Debug, Clone)]
pub(crate) struct KeptNetworks {
    folder: PathBuf,
}

impl KeptNetworks {
    /// Those of a layout.
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            folder: layout.lib.join("networks"),
        }
    }

    /// What is kept of a network, where anything is.
    ///
    /// # Errors
    ///
    /// The file can't be read, somebody else could have written it, or it isn't
    /// what this program writes.
    pub(crate) fn find(&self, id: &NetworkId) -> Result<Option<KeptNetwork>, NetworksError> {
        let path = self.path(id);
        let text = match trust::read(&path, SIZE_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &path)(error).into()),
        };
        let corrupt = |why: String| NetworksError::Corrupt {
            id: id.clone(),
            path: path.clone(),
            why,
        };
        let kept: KeptNetwork =
            serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
        match kept.network.id == id.as_str() {
            true => Ok(Some(kept)),
            false => Err(corrupt("it is another network's".to_owned())),
        }
    }

    /// Keeps a network; what was kept of it before is replaced.
    ///
    /// # Errors
    ///
    /// There is no room, or the file can't be written.
    pub(crate) fn keep(&self, id: &NetworkId, kept: &KeptNetwork) -> Result<(), NetworksError> {
        let path = self.path(id);
        let text = serde_json::to_vec(kept).unwrap_or_default();
        if u64::try_from(text.len()).is_ok_and(|size| size > SIZE_MAX) {
            let (id, size) = (id.clone(), text.len());
            return Err(NetworksError::TooLarge { id, size });
        }
        if !path.exists() && self.ids().len() >= NETWORKS_MAX {
            return Err(NetworksError::Full(self.folder.clone()));
        }
        files::write(&path, &text, 0o600)?;
        Ok(())
    }

    /// The ids of all networks that are kept, sorted.
    pub(crate) fn ids(&self) -> Vec<NetworkId> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        let ids = names
            .into_iter()
            .filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned));
        ids.filter_map(|id| NetworkId::try_from(id).ok()).collect()
    }

    /// Removes the networks that aren't among those that Podman `has`, unless
    /// they were kept just now: Podman writes its own file after `create`.
    /// Returns which.
    ///
    /// # Errors
    ///
    /// A file can't be removed.
    pub(crate) fn prune(
        &self,
        has: impl Fn(&NetworkId) -> bool,
    ) -> Result<Vec<NetworkId>, NetworksError> {
        let mut pruned = Vec::new();
        for id in self.ids() {
            let path = self.path(&id);
            if has(&id) || !is_old(&path) {
                continue;
            }
            files::remove(&path)?;
            pruned.push(id);
        }
        Ok(pruned)
    }

    fn path(&self, id: &NetworkId) -> PathBuf {
        self.folder.join(format!("{id}{SUFFIX}"))
    }
}

/// Whether a file was written some time ago. What can't be told is young.
fn is_old(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = written.map(|written| SystemTime::now().duration_since(written));
    matches!(age, Ok(Ok(age)) if age > YOUNG)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn networks() -> (tempfile::TempDir, KeptNetworks) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("networks");
        (root, KeptNetworks { folder })
    }

    /// What is kept outlives an upgrade.
    #[test]
    fn kept_networks_keep_their_form() {
        let golden = include_str!("golden/network.json");
        let kept: KeptNetwork = serde_json::from_str(golden).unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), golden.trim_end());
    }

    fn id(text: &str) -> NetworkId {
        NetworkId::try_from(text.to_owned()).unwrap()
    }

    fn network(id: &str) -> KeptNetwork {
        let network = format!(r#"{{"network":{{"name":"n","id":"{id}","driver":"d"}}}}"#);
        serde_json::from_str(&network).unwrap()
    }

    fn make_old(networks: &KeptNetworks, network: &str) {
        let file = fs::File::options()
            .write(true)
            .open(networks.path(&id(network)))
            .unwrap();
        let then = SystemTime::now() - 2 * YOUNG;
        file.set_modified(then).unwrap();
    }

    #[test]
    fn what_is_kept_is_found() {
        let (_root, networks) = networks();
        assert_eq!(networks.find(&id("a")).unwrap(), None);
        networks.keep(&id("a"), &network("a")).unwrap();
        assert_eq!(networks.find(&id("a")).unwrap(), Some(network("a")));
        assert_eq!(networks.ids(), [id("a")]);
        let mode = fs::metadata(networks.path(&id("a"))).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn what_others_could_have_written_is_refused() {
        let (_root, networks) = networks();
        networks.keep(&id("a"), &network("a")).unwrap();
        let path = networks.path(&id("a"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(networks.find(&id("a")).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(networks.find(&id("a")).is_ok());
        symlink(&path, networks.path(&id("b"))).unwrap();
        assert!(networks.find(&id("b")).is_err());
    }

    #[test]
    fn what_is_not_this_networks_is_no_word_of_its_user() {
        let (_root, networks) = networks();
        networks.keep(&id("a"), &network("b")).unwrap();
        let error = networks.find(&id("a")).unwrap_err().to_string();
        assert!(error.contains("another network's"), "{error}");
        fs::write(networks.path(&id("a")), "{").unwrap();
        let error = networks.find(&id("a")).unwrap_err().to_string();
        assert!(error.contains("wasmvark adopt a"), "{error}");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (_root, networks) = networks();
        let mut large = network("a");
        for number in 0..SIZE_MAX / 128 {
            let value = "x".repeat(128);
            large.network.options.insert(number.to_string(), value);
        }
        let error = networks.keep(&id("a"), &large).unwrap_err().to_string();
        assert!(error.contains("at most 65536"), "{error}");
        fs::create_dir_all(&networks.folder).unwrap();
        for number in 0..NETWORKS_MAX {
            fs::write(networks.path(&id(&format!("n{number}"))), "").unwrap();
        }
        let error = networks.keep(&id("a"), &network("a")).unwrap_err();
        assert!(error.to_string().contains("wasmvark gc"), "{error}");
        // One that is there can be kept anew.
        networks.keep(&id("n7"), &network("n7")).unwrap();
    }

    #[test]
    fn only_old_networks_that_podman_has_not_are_pruned() {
        let (_root, networks) = networks();
        for name in ["gone", "there", "young"] {
            networks.keep(&id(name), &network(name)).unwrap();
        }
        make_old(&networks, "gone");
        make_old(&networks, "there");
        let pruned = networks.prune(|network| *network == id("there")).unwrap();
        assert_eq!(pruned, [id("gone")]);
        assert_eq!(networks.ids(), [id("there"), id("young")]);
    }
}
