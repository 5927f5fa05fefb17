//! A case: what a driver is asked for, on which machine, and what it's expected to do.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::machine::{self, MachineError};
use crate::cli::CliError;
use crate::plugin::ApartError;

/// The largest case, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// A case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli) struct Case {
    /// The case's file.
    #[serde(skip)]
    pub(in crate::cli) file: PathBuf,
    /// The component's path, from the folder of the case.
    pub(super) driver: Option<PathBuf>,
    /// The function that is called.
    #[serde(default)]
    pub(in crate::cli) run: Function,
    /// The grant's path, from the folder of the case. Without it, the driver has what its
    /// manifest asks for.
    pub(super) grant: Option<PathBuf>,
    /// The network, as netavark describes it.
    #[serde(default)]
    pub(super) network: toml::Table,
    /// The container, as netavark describes it and its options for the network.
    #[serde(default)]
    pub(super) container: toml::Table,
    /// The machine.
    #[serde(default)]
    pub(in crate::cli) machine: machine::Machine,
    /// What the driver is expected to do.
    #[serde(default)]
    pub(super) expect: Expect,
}

/// The driver's function that a case calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Function {
    /// `create`
    Create,
    /// `setup`, and then `teardown`
    #[default]
    Setup,
}

/// What a driver is expected to do. What is missing isn't compared, except that a run must
/// succeed unless an error is expected, and that nothing may be left after the teardown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// The calls in their order, one a line.
    pub(super) calls: Option<String>,
    /// The document for the caller, as JSON.
    pub(super) answer: Option<String>,
    /// A part of the error.
    pub(super) error: Option<String>,
    /// The namespaces afterwards.
    pub(super) topology: Option<String>,
    /// What the teardown does, one call or undo a line.
    pub(super) teardown: Option<String>,
    /// What stays after the teardown.
    pub(super) left: Option<String>,
}

/// Why a case can't be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    /// The file can't be read or written.
    #[error("can't use {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The file isn't a case.
    #[error("the case isn't valid: {0}")]
    Malformed(String),
    /// The machine isn't possible.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// Nothing is expected.
    #[error(
        "the case expects nothing, so no driver could fail it: give it calls, an answer, an error \
         or a topology under [expect], or let --bless write down what the driver does now"
    )]
    Nothing,
    /// There is no operation that could fail.
    #[error("the run makes fewer than {0} operations on the kernel, so none fails")]
    NoOperation(u32),
    /// There is no driver.
    #[error("no driver is named: give its file as `driver = \"PATH\"`, or after the cases")]
    NoDriver,
    /// The driver or its grant can't be used.
    #[error("{0}")]
    Driver(#[from] Box<CliError>),
    /// The run has no result.
    #[error(transparent)]
    Apart(#[from] ApartError),
}

impl From<CliError> for CaseError {
    fn from(error: CliError) -> Self {
        Self::Driver(Box::new(error))
    }
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    ///
    /// The file can't be read, is too large, or isn't a case.
    pub(in crate::cli) fn read(file: &Path) -> Result<Self, CaseError> {
        let text = text(file)?;
        let case: Self =
            toml::from_str(&text).map_err(|error| CaseError::Malformed(error.to_string()))?;
        if let Some(answer) = &case.expect.answer {
            serde_json::from_str::<IgnoredAny>(answer).map_err(|error| {
                CaseError::Malformed(format!("the answer under [expect] is no JSON: {error}"))
            })?;
        }
        Ok(Self {
            file: file.to_owned(),
            ..case
        })
    }

    /// Returns a path that is given from the folder of the case.
    pub(super) fn path(&self, given: &Path) -> PathBuf {
        self.file
            .parent()
            .map_or_else(|| given.to_owned(), |folder| folder.join(given))
    }

    /// Checks that a driver can fail the case.
    ///
    /// # Errors
    ///
    /// The case expects nothing.
    pub(super) fn check_expects(&self) -> Result<(), CaseError> {
        let Expect {
            calls,
            answer,
            error,
            topology,
            teardown,
            left: _,
        } = &self.expect;
        let texts = [calls, answer, error, topology, teardown];
        match texts.into_iter().any(Option::is_some) {
            true => Ok(()),
            false => Err(CaseError::Nothing),
        }
    }
}

/// Reads the text of a case.
pub(super) fn text(file: &Path) -> Result<String, CaseError> {
    let failed = |error| CaseError::Io {
        path: file.to_owned(),
        error,
    };
    if std::fs::metadata(file).map_err(failed)?.len() > SIZE_MAX {
        let text = format!("it is larger than {SIZE_MAX} bytes");
        return Err(failed(std::io::Error::other(text)));
    }
    std::fs::read_to_string(file).map_err(failed)
}
