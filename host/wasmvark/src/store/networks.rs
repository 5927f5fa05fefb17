//! The kept networks: the users' documents of `create`, by the network's id. A driver
//! can't change them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use request::KeptNetwork;
use types::NetworkId;

use super::{Layout, StoreError, files};

/// The number of kept networks. Podman has at most one for each subnet.
const NETWORKS_MAX: usize = 4096;
/// The largest kept network, in bytes.
const SIZE_MAX: u64 = 64 << 10;
/// The suffix of a kept network's file.
const SUFFIX: &str = ".json";
/// The age up to which a kept network stays, even if Podman doesn't have it. Podman
/// writes its own file after `create`.
const YOUNG: Duration = Duration::from_secs(3600);

/// Why a network can't be kept, or a kept one can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworksError {
    /// A file can't be read, written or trusted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file isn't a kept network.
    #[error(
        "the kept network {id} in {} can't be read ({why}): `wasmvark adopt {id}` keeps Podman's \
         network in its place, as the user's word",
        path.display()
    )]
    Corrupt {
        /// The network.
        id: NetworkId,
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// The network is too large.
    #[error(
        "the network {id} has {size} bytes, and at most {SIZE_MAX} are kept: give it fewer options"
    )]
    TooLarge {
        /// The network.
        id: NetworkId,
        /// The network's size, in bytes.
        size: usize,
    },
    /// Too many networks are kept.
    #[error(
        "{} has {NETWORKS_MAX} networks, and no more can be kept: `wasmvark gc` removes those that \
         Podman doesn't have any more",
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
    /// Returns the kept networks of an installation.
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            folder: layout.lib.join("networks"),
        }
    }

    /// Reads a kept network, if there is one.
    ///
    /// # Errors
    ///
    /// The file can't be read, another user could have written it, or it isn't a kept
    /// network.
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
            false => Err(corrupt("the file has another network's id".to_owned())),
        }
    }

    /// Keeps a network, in place of an earlier one of the same id.
    ///
    /// # Errors
    ///
    /// The network is too large, too many are kept, or the file can't be written.
    pub(crate) fn keep(&self, id: &NetworkId, kept: &KeptNetwork) -> Result<(), NetworksError> {
        let path = self.path(id);
        let text = Self::text(id, kept)?;
        if !path.exists() && self.ids().len() >= NETWORKS_MAX {
            return Err(NetworksError::Full(self.folder.clone()));
        }
        files::write(&path, &text, 0o600)?;
        Ok(())
    }

    /// Returns the content of a kept network's file.
    ///
    /// # Errors
    ///
    /// The network is too large.
    pub(crate) fn text(id: &NetworkId, kept: &KeptNetwork) -> Result<Vec<u8>, NetworksError> {
        let text = serde_json::to_vec(kept).unwrap_or_default();
        if u64::try_from(text.len()).is_ok_and(|size| size > SIZE_MAX) {
            let (id, size) = (id.clone(), text.len());
            return Err(NetworksError::TooLarge { id, size });
        }
        Ok(text)
    }

    /// Lists the ids of all kept networks, sorted.
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

    /// Returns the subnets of all kept networks except one, or of those that were kept
    /// within a time. A network that can't be read counts as none.
    pub(crate) fn subnets(&self, except: &NetworkId, within: Option<Duration>) -> Vec<IpNet> {
        let ids = self.ids().into_iter().filter(|id| id != except);
        let recent = ids.filter(|id| within.is_none_or(|within| !is_older(&self.path(id), within)));
        let kept = recent.filter_map(|id| self.find(&id).ok().flatten());
        let subnets = kept.flat_map(|kept| kept.network.subnets);
        subnets.map(|subnet| subnet.subnet).collect()
    }

    /// Removes the networks that Podman doesn't have, unless they are young. Returns the
    /// removed ones.
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
            if has(&id) || !is_older(&path, YOUNG) {
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

/// Whether a network was kept longer ago than a time. It wasn't if its age isn't known.
fn is_older(path: &Path, than: Duration) -> bool {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = written.map(|written| SystemTime::now().duration_since(written));
    matches!(age, Ok(Ok(age)) if age > than)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use request::protocol::Subnet;

    use super::*;

    fn networks() -> (tempfile::TempDir, KeptNetworks) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("networks");
        (root, KeptNetworks { folder })
    }

    /// Kept networks outlive an upgrade.
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
        assert!(error.contains("another network's id"), "{error}");
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
        // A kept network can be replaced.
        networks.keep(&id("n7"), &network("n7")).unwrap();
    }

    #[test]
    fn subnets_are_those_of_all_other_networks_or_of_recent_ones() {
        let (_root, networks) = networks();
        for (name, subnet) in [
            ("a", "10.0.1.0/24"),
            ("b", "10.0.2.0/24"),
            ("c", "fd00::/64"),
        ] {
            let mut network = network(name);
            network.network.subnets.push(Subnet {
                subnet: subnet.parse().unwrap(),
                gateway: None,
                lease_range: None,
            });
            networks.keep(&id(name), &network).unwrap();
        }
        fs::write(networks.path(&id("broken")), "{").unwrap();
        make_old(&networks, "b");
        let found = |within| {
            let found = networks.subnets(&id("a"), within).into_iter();
            found.map(|subnet| subnet.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(None), ["10.0.2.0/24", "fd00::/64"]);
        assert_eq!(found(Some(YOUNG)), ["fd00::/64"]);
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
