//! The folders of an installation: the system's, a rootless user's, or those below one
//! folder with `--root`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use services::dhcp::DEFAULT_SOCKET;
use types::user::rootless_user;

/// The environment variable in place of `--root`. It is also for plugin runs, which have
/// no options.
const ROOT_VARIABLE: &str = "WASMVARK_ROOT";

use crate::podman::HELPER_DIRS;

/// The socket of systemd's journal (systemd-journald.service(8)).
const JOURNALD: &str = "/run/systemd/journal/socket";

/// The folders of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Components, precompiled code and registrations.
    pub lib: PathBuf,
    /// Grants.
    pub grants: PathBuf,
    /// The operator's secrets.
    pub secrets: PathBuf,
    /// Journals and locks.
    pub run: PathBuf,
    /// The audit trail.
    pub trail: PathBuf,
    /// The operator's file of the trail's bounds.
    pub trail_settings: PathBuf,
    /// The socket of systemd's journal.
    pub journald: PathBuf,
    /// The folder of sysctl.d(5) for the settings that containers need. A rootless user
    /// has none.
    pub sysctl: Option<PathBuf>,
    /// The default plugin directory, for the drivers' links.
    pub plugins: PathBuf,
    /// The folder in which netavark has that of aardvark-dns.
    pub netavark: PathBuf,
    /// The folders in which Podman looks for the programs of its services.
    pub helpers: Vec<PathBuf>,
    /// The socket of netavark's DHCP proxy.
    pub dhcp_proxy: PathBuf,
    /// Precompiled code of components that aren't installed. A user without a home folder has
    /// none.
    pub cache: Option<PathBuf>,
}

/// Why the folders can't be determined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayoutError {
    /// The user has no home directory.
    #[error(
        "can't determine this user's folders: neither {variable} nor HOME is set; set one, or give \
         --root"
    )]
    NoHome {
        /// The variable that is used before HOME.
        variable: &'static str,
    },
    /// The root is relative, and would be another folder for each caller.
    #[error("the root {} is not an absolute path: give one that begins with /", .0.display())]
    RelativeRoot(PathBuf),
}

impl Layout {
    /// Chooses the folders: below the given root or WASMVARK_ROOT, or the user's for
    /// rootless Podman, or the system's.
    pub(crate) fn choose(root: Option<&Path>) -> Result<Self, LayoutError> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(root) = root {
            let root = std::path::absolute(root)
                .map_err(|_| LayoutError::RelativeRoot(root.to_owned()))?;
            return Ok(Self::below(&root));
        }
        if let Some(root) = variable(ROOT_VARIABLE) {
            let root = PathBuf::from(root);
            if root.is_relative() {
                return Err(LayoutError::RelativeRoot(root));
            }
            return Ok(Self::below(&root));
        }
        match rootless_user() {
            Some(uid) => Self::user(uid, variable),
            None => Ok(Self::system()),
        }
    }

    fn below(root: &Path) -> Self {
        Self {
            lib: root.join("lib"),
            grants: root.join("grants"),
            secrets: root.join("secrets"),
            run: root.join("run"),
            trail: root.join("log/audit.jsonl"),
            trail_settings: root.join("trail.toml"),
            journald: root.join("systemd/journal/socket"),
            sysctl: Some(root.join("sysctl.d")),
            plugins: root.join("plugins"),
            netavark: root.join("containers/networks"),
            helpers: vec![root.join("podman")],
            dhcp_proxy: root.join("podman/nv-proxy.sock"),
            cache: Some(root.join("cache")),
        }
    }

    /// Returns the system's folders.
    pub(crate) fn system() -> Self {
        Self {
            lib: "/var/lib/wasmvark".into(),
            grants: "/etc/wasmvark/grants".into(),
            secrets: "/etc/wasmvark/secrets".into(),
            run: "/run/wasmvark".into(),
            trail: "/var/log/wasmvark/audit.jsonl".into(),
            trail_settings: "/etc/wasmvark/trail.toml".into(),
            journald: JOURNALD.into(),
            sysctl: Some("/run/sysctl.d".into()),
            plugins: "/usr/local/libexec/netavark".into(),
            netavark: "/run/containers/networks".into(),
            helpers: helper_dirs(),
            dhcp_proxy: DEFAULT_SOCKET.into(),
            cache: Some("/var/cache/wasmvark".into()),
        }
    }

    /// Returns a user's folders for people, with the names of environment variables
    /// instead of their values.
    pub(crate) fn user_in_words() -> Self {
        Self::user(0, |name| Some(format!("${name}").into())).unwrap_or_else(|_| Self::system())
    }

    fn user(uid: u32, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, LayoutError> {
        let base = |name: &'static str, below_home: &str| match variable(name) {
            Some(folder) => Ok(PathBuf::from(folder)),
            None => variable("HOME")
                .map(|home| Path::new(&home).join(below_home))
                .ok_or(LayoutError::NoHome { variable: name }),
        };
        let data = base("XDG_DATA_HOME", ".local/share")?.join("wasmvark");
        let config = base("XDG_CONFIG_HOME", ".config")?.join("wasmvark");
        let trail_settings = config.join("trail.toml");
        let runtime = variable("XDG_RUNTIME_DIR")
            .map_or_else(|| PathBuf::from(format!("/run/user/{uid}")), PathBuf::from);
        Ok(Self {
            plugins: data.join("plugins"),
            lib: data,
            grants: config.join("grants"),
            secrets: config.join("secrets"),
            run: runtime.join("wasmvark"),
            trail: base("XDG_STATE_HOME", ".local/state")?.join("wasmvark/audit.jsonl"),
            trail_settings,
            journald: JOURNALD.into(),
            sysctl: None,
            netavark: runtime.join("containers/networks"),
            helpers: helper_dirs(),
            dhcp_proxy: DEFAULT_SOCKET.into(),
            cache: base("XDG_CACHE_HOME", ".cache")
                .ok()
                .map(|cache| cache.join("wasmvark")),
        })
    }

    /// Returns the path of a driver's grant.
    pub(crate) fn grant(&self, driver: &super::DriverName) -> PathBuf {
        self.grants.join(format!("{driver}.toml"))
    }

    /// Returns the folder of the networks' locks.
    pub(crate) fn locks(&self) -> PathBuf {
        self.run.join("lock")
    }

    /// Returns the folder of the lock on pools of subnets.
    pub(crate) fn pools(&self) -> PathBuf {
        self.run.join("pools")
    }

    /// Returns the folder of the journals.
    pub(crate) fn journals(&self) -> PathBuf {
        self.run.join("journal")
    }
}
fn helper_dirs() -> Vec<PathBuf> {
    HELPER_DIRS.iter().map(PathBuf::from).collect()
}
