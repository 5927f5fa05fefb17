//! The store of installed drivers: components by digest with their precompiled code,
//! registrations by name with their links, and kept networks. The module also knows the
//! folders of an installation. It never runs a driver.

mod driver_name;
mod files;
mod kept_code;
pub(crate) mod kept_settings;
mod layout;
mod link;
mod networks;
mod registry;
mod versions;

pub(crate) use driver_name::{DriverName, InvalidDriverName};
pub(crate) use files::Intact;
pub(crate) use layout::{Layout, LayoutError};
pub(crate) use link::{LinkState, link_state};
pub(crate) use networks::{KeptNetworks, NetworksError};
pub(crate) use registry::{Registration, Store, StoredCode};
pub(crate) use versions::{Settled, Version};

use std::path::{Path, PathBuf};

use trust::TrustError;

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Reading or writing failed.
    #[error("can't {action} {}: {error}", path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// No driver of that name is installed.
    #[error(
        "no driver {name} is installed in {}: `wasmvark install FILE --name {name}` installs it, \
         and `wasmvark list` shows the installed ones",
        lib.display()
    )]
    NotInstalled {
        /// The name.
        name: DriverName,
        /// The store's folder.
        lib: PathBuf,
    },
    /// The component doesn't have its digest, or is missing.
    #[error(
        "the component {} of the driver {name} is {state}: install the driver again from its file",
        path.display()
    )]
    Component {
        /// The driver.
        name: DriverName,
        /// The file.
        path: PathBuf,
        /// "missing" or "corrupt".
        state: &'static str,
    },
    /// The registration can't be parsed.
    #[error("the registration {} is corrupt ({error}): install the driver again", path.display())]
    Registration {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        error: serde_json::Error,
    },
    /// A driver's previous version can't be parsed.
    #[error("{} is corrupt ({error}): remove it, and install the driver again", path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        error: serde_json::Error,
    },
    /// Another process changed the driver.
    #[error("the driver {name} or its grant was changed meanwhile, so nothing is done: try again")]
    Changed {
        /// The driver.
        name: DriverName,
    },
    /// Another user could have written there.
    #[error(
        "{} {fault}, so what lies there can't be trusted: it and the folders above it must belong \
         to root or to the user who runs this and be writable by nobody else",
        path.display()
    )]
    Untrusted {
        /// The file or folder.
        path: PathBuf,
        /// The fault, with a verb first.
        fault: String,
    },
    /// The plugin directory has a foreign file of that name.
    #[error("{} exists and is not a link to wasmvark: remove it, or give another --name", path.display())]
    LinkTaken {
        /// The file.
        path: PathBuf,
    },
}

impl From<TrustError> for StoreError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Io {
                action,
                path,
                error,
            } => Self::Io {
                action,
                path,
                error,
            },
            TrustError::Untrusted { path, fault } => Self::Untrusted { path, fault },
        }
    }
}

impl StoreError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io {
            action,
            path,
            error,
        }
    }
}
