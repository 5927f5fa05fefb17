//! A converted network, and a document that can't be converted.

use std::fmt;
use std::path::{Path, PathBuf};

use policy::Widening;
use serde::Serialize;

use crate::cli::{CliError, find_grant};
use crate::convert::Plan;
use crate::store::{DriverName, Store};

/// A converted network, and the calls that its driver's grant lacks.
pub(super) struct Conversion {
    pub(super) file: PathBuf,
    pub(super) plan: Plan,
    pub(super) driver: DriverName,
    /// The path of the driver's grant, which may not exist.
    pub(super) grant: PathBuf,
    pub(super) widening: Widening,
}

/// A document that isn't converted.
#[derive(Serialize)]
pub(super) struct Failure {
    file: String,
    error: String,
}

impl Conversion {
    pub(super) fn new(store: &Store, file: &Path, plan: Plan) -> Result<Self, CliError> {
        let driver: DriverName = plan.driver.parse()?;
        let path = store.layout().grant(&driver);
        let grant = find_grant(store, &driver)?;
        Ok(Self {
            file: file.to_owned(),
            widening: Widening::needed(grant.as_ref(), &plan.grants),
            grant: path,
            driver,
            plan,
        })
    }
}

impl Failure {
    pub(super) fn new(file: &Path, error: &impl fmt::Display) -> Self {
        Self {
            file: file.display().to_string(),
            error: error.to_string(),
        }
    }

    pub(super) fn same_name(file: &Path, other: &Path, network: &str) -> Self {
        let text = format!(
            "a network {network} is in {} already, and Podman has each name once: change \"name\"",
            other.display()
        );
        Self::new(file, &text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}: {}", self.file, self.error);
        f.write_str(&types::text::plain(&text))
    }
}
