//! containers.conf, read as Podman reads it: its files in order. A later file replaces
//! the values of earlier ones, or adds to them.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;
use types::user::rootless_user;

use super::conf_files::Reader;
use super::version::Version;
use super::{Pool, System};

/// netavark's plugin directories, unless a file sets others (containers.conf(5)).
const PLUGIN_DIRS: [&str; 4] = [
    "/usr/local/libexec/netavark",
    "/usr/libexec/netavark",
    "/usr/local/lib/netavark",
    "/usr/lib/netavark",
];
/// The directories in which Podman looks for netavark, unless a file sets others
/// (containers.conf(5)).
pub(crate) const HELPER_DIRS: [&str; 4] = [
    "/usr/local/libexec/podman",
    "/usr/local/lib/podman",
    "/usr/libexec/podman",
    "/usr/lib/podman",
];

/// The subnet of Podman's default network, unless a file sets another
/// (containers.conf(5)).
const DEFAULT_SUBNET: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 88, 0, 0), 16);

/// The settings in containers.conf that the checks need.
#[derive(Debug)]
pub(crate) struct ContainersConf {
    /// The directories that netavark looks for plugins in, in order.
    pub(crate) plugin_dirs: Vec<PathBuf>,
    /// The directories that Podman looks for netavark in, in order.
    pub(crate) helper_dirs: Vec<PathBuf>,
    /// The pools of free subnets, in order.
    pub(crate) pools: Vec<Pool>,
    /// The subnet of Podman's default network.
    pub(crate) default_subnet: IpNet,
    /// The folder of Podman's networks, if a file names one.
    pub(crate) network_config_dir: Option<PathBuf>,
    /// The network backend. It is `netavark` unless a file sets another.
    pub(crate) backend: Option<String>,
    /// The last file that names plugin directories.
    pub(crate) names_plugin_dirs: Option<PathBuf>,
    /// The main files with plugin directories that Podman 6 passes over because it reads
    /// another one.
    pub(crate) passed_over: Vec<PassedOver>,
}

/// A file that Podman passes over.
#[derive(Debug)]
pub(crate) struct PassedOver {
    pub(crate) path: PathBuf,
    /// The plugin directories that it names.
    pub(crate) plugin_dirs: Vec<PathBuf>,
}

/// The reason why a file can't be read. Podman can't read it either.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be read: {error}", path.display())]
pub(crate) struct ConfError {
    pub(crate) path: PathBuf,
    error: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    network: Network,
    #[serde(default)]
    engine: Engine,
}

#[derive(Deserialize, Default)]
struct Network {
    netavark_plugin_dirs: Option<Vec<Item>>,
    network_backend: Option<String>,
    network_config_dir: Option<PathBuf>,
    default_subnet: Option<String>,
    default_subnet_pools: Option<Vec<Pool>>,
}

#[derive(Deserialize, Default)]
struct Engine {
    helper_binaries_dir: Option<Vec<Item>>,
}

/// An item of a list. It is a text, or says whether the list is added to the earlier
/// ones.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Text(String),
    Attribute { append: bool },
}

/// A list that several files can add to.
struct List {
    texts: Vec<PathBuf>,
    /// Whether the next list is added. The setting also holds for later files.
    append: bool,
}

impl ContainersConf {
    /// Reads all files of this user, or of root.
    pub(crate) fn read(system: &System) -> Result<Self, ConfError> {
        let variable = |name: &str| {
            let value = std::env::var_os(name)?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        let reader = Reader {
            rootless: rootless_user(),
            variable,
        };
        let files = reader.files(system, || Version::of_podman(system));
        let mut conf = Self::read_files(system, &files.read)?;
        let passed_over = files.passed_over.into_iter();
        conf.passed_over = passed_over
            .filter_map(|path| PassedOver::read(system, path))
            .collect();
        Ok(conf)
    }

    fn read_files(system: &System, files: &[PathBuf]) -> Result<Self, ConfError> {
        let mut plugin_dirs = List::new(&PLUGIN_DIRS);
        let mut helper_dirs = List::new(&HELPER_DIRS);
        let mut backend = None;
        let mut network_config_dir = None;
        let mut default_subnet = None;
        let mut pools = None;
        let mut names_plugin_dirs = None;
        for path in files {
            let Some(file) = parse(system, path)? else {
                continue;
            };
            if let Some(items) = file.network.netavark_plugin_dirs {
                plugin_dirs.add(items);
                names_plugin_dirs = Some(path.clone());
            }
            if let Some(items) = file.engine.helper_binaries_dir {
                helper_dirs.add(items);
            }
            backend = file.network.network_backend.or(backend);
            let subnet = file.network.default_subnet.unwrap_or_default();
            if !subnet.is_empty() {
                let read = subnet.parse::<IpNet>().map_err(|error| ConfError {
                    path: path.clone(),
                    error: format!("default_subnet {subnet:?}: {error}"),
                })?;
                default_subnet = Some(read);
            }
            pools = file.network.default_subnet_pools.or(pools);
            network_config_dir = file.network.network_config_dir.or(network_config_dir);
        }
        Ok(Self {
            plugin_dirs: plugin_dirs.texts,
            helper_dirs: helper_dirs.texts,
            pools: pools.unwrap_or_else(Pool::defaults),
            default_subnet: default_subnet.unwrap_or(DEFAULT_SUBNET.into()),
            network_config_dir,
            backend,
            names_plugin_dirs,
            passed_over: Vec::new(),
        })
    }
}

impl PassedOver {
    /// Reads a file, if it names plugin directories.
    fn read(system: &System, path: PathBuf) -> Option<Self> {
        let file = parse(system, &path).ok()??;
        let mut plugin_dirs = List::new(&[]);
        plugin_dirs.add(file.network.netavark_plugin_dirs?);
        Some(Self {
            path,
            plugin_dirs: plugin_dirs.texts,
        })
    }
}

impl List {
    fn new(defaults: &[&str]) -> Self {
        Self {
            texts: defaults.iter().map(PathBuf::from).collect(),
            append: false,
        }
    }

    fn add(&mut self, items: Vec<Item>) {
        let mut texts = Vec::new();
        for item in items {
            match item {
                Item::Text(text) => texts.push(PathBuf::from(text)),
                Item::Attribute { append } => self.append = append,
            }
        }
        if !self.append {
            self.texts.clear();
        }
        self.texts.extend(texts);
    }
}

fn parse(system: &System, path: &Path) -> Result<Option<File>, ConfError> {
    let failed = |error: String| ConfError {
        path: path.to_owned(),
        error,
    };
    match std::fs::read_to_string(system.path(path)) {
        Ok(text) => toml::from_str(&text)
            .map(Some)
            .map_err(|error| failed(error.message().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let system = System::new(root.path());
        (root, system)
    }

    fn plugin_dirs(files_and_texts: &[(&str, &str)]) -> Vec<String> {
        let (_root, system) = system(files_and_texts);
        let reader = Reader {
            rootless: None,
            variable: |name: &str| (name == "HOME").then(|| PathBuf::from("/root")),
        };
        let files = reader.files(&system, || None);
        let conf = ContainersConf::read_files(&system, &files.read).unwrap();
        let texts = conf.plugin_dirs.iter();
        texts.map(|dir| dir.display().to_string()).collect()
    }

    /// The expected results are those of `podman info`, with Podman 5.4 and 5.8.
    #[test]
    fn files_replace_or_add_as_podman_has_it() {
        let share = "/usr/share/containers/containers.conf";
        let etc = "/etc/containers/containers.conf";
        let first = "/etc/containers/containers.conf.d/10.conf";
        let other = "/etc/containers/containers.conf.d/20.txt";
        let user = "/root/.config/containers/containers.conf";
        let one = "[network]\nnetavark_plugin_dirs = [\"/one\"]";
        let two = "[network]\nnetavark_plugin_dirs = [\"/two\", {append = true}]";
        let three = "[network]\nnetavark_plugin_dirs = [\"/three\"]";
        let alone = "[network]\nnetavark_plugin_dirs = [\"/alone\", {append = false}]";
        assert_eq!(plugin_dirs(&[]), PLUGIN_DIRS);
        assert_eq!(plugin_dirs(&[(share, one)]), ["/one"]);
        assert_eq!(plugin_dirs(&[(share, one), (etc, three)]), ["/three"]);
        assert_eq!(plugin_dirs(&[(etc, one), (first, two)]), ["/one", "/two"]);
        assert_eq!(
            plugin_dirs(&[(etc, one), (first, two), (user, three)]),
            ["/one", "/two", "/three"]
        );
        assert_eq!(plugin_dirs(&[(first, two), (user, alone)]), ["/alone"]);
        assert_eq!(plugin_dirs(&[(other, one)]), PLUGIN_DIRS);
        assert_eq!(plugin_dirs(&[(first, two)]).len(), PLUGIN_DIRS.len() + 1);
    }

    #[test]
    fn the_default_networks_subnet_is_read_or_an_error() {
        let file = "/etc/containers/containers.conf";
        let read = |value: &str| {
            let text = format!("[network]\ndefault_subnet = {value:?}\n");
            let (_root, system) = system(&[(file, &text)]);
            let conf = ContainersConf::read_files(&system, &[file.into()]);
            conf.map(|conf| conf.default_subnet.to_string())
        };
        assert_eq!(read("").unwrap(), "10.88.0.0/16");
        assert_eq!(read("10.7.0.0/16").unwrap(), "10.7.0.0/16");
        let error = read("10.7.0.0").unwrap_err().to_string();
        assert!(error.contains("default_subnet \"10.7.0.0\""), "{error}");
    }

    #[test]
    fn what_podman_can_not_read_is_an_error() {
        let (_root, system) = system(&[("/etc/containers/containers.conf", "[network")]);
        let file = PathBuf::from("/etc/containers/containers.conf");
        let error = ContainersConf::read_files(&system, &[file]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("/etc/containers/containers.conf"),
            "{error}"
        );
    }
}
