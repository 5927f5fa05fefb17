//! Installed drivers: components by digest with their precompiled code, names
//! with their links, and where everything lies on the machine. It doesn't know
//! what a driver does.

mod driver_name;
mod files;
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
pub(crate) use registry::{Registration, Store};
pub(crate) use versions::{Settled, Version};

use std::path::{Path, PathBuf};

use trust::TrustError;

/// Why the store can't serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Reading or writing failed.
    #[error("can't {action} {}: {error}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        error: std::io::Error,
    },
    /// Nothing of that name is installed.
    #[error(
        "no driver {name} is installed in {}: `wasmvark install FILE --name {name}` installs it, \
         `wasmvark list` shows which are",
        lib.display()
    )]
    NotInstalled {
        /// The name.
        name: DriverName,
        /// The store's folder.
        lib: PathBuf,
    },
    /// The component isn't what its digest says, or is gone.
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
        /// What the parser says.
        error: serde_json::Error,
    },
    /// What a driver was before can't be parsed.
    #[error("{} is corrupt ({error}): remove it, and install the driver again", path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        error: serde_json::Error,
    },
    /// Somebody else was at it.
    #[error("the driver {name} or its grant was changed meanwhile, so nothing is done: try again")]
    Changed {
        /// The driver.
        name: DriverName,
    },
    /// Somebody else could have put code there.
    #[error(
        "{} {fault}, so what lies there can't be trusted: it and the folders above it must belong \
         to root or to the user who runs this and be writable by nobody else",
        path.display()
    )]
    Untrusted {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The plugin directory has something else of that name.
    #[error("{} exists and is not a link of wasmvark's: remove it, or give another --name", path.display())]
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
