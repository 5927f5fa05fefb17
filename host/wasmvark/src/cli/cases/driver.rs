//! The drivers of cases, with their grants.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::driver::Description;
use policy::Grant;
use types::Digest;

use super::case::{Case, CaseError};
use crate::cli::{CliError, Context, planned_grant};
use crate::plugin::Candidate;
use crate::store::{DriverName, Layout, Store};

/// An installation that isn't there: cases know nothing of this machine's networks,
/// containers and secrets. Debian's policy for users has this path for what never exists.
const NOWHERE: &str = "/nonexistent/wasmvark";

/// The drivers. Each file is read once.
pub(super) struct Drivers {
    store: Store,
    given: Option<PathBuf>,
    read: BTreeMap<PathBuf, Component>,
}

struct Component {
    bytes: Vec<u8>,
    digest: Digest,
    description: Description,
    name: DriverName,
}

/// A driver that is ready to run.
pub(super) struct Ready {
    pub(super) name: String,
    pub(super) candidate: Candidate,
}

impl Drivers {
    /// Returns no drivers yet. One that is given takes the place of those that cases name.
    ///
    /// # Errors
    ///
    /// The folder for compiled code can't be determined.
    pub(super) fn new(context: &Context, given: Option<&Path>) -> Result<Self, CliError> {
        let layout = Layout {
            cache: context.layout()?.cache,
            grants: PathBuf::from("grants"),
            ..Layout::choose(Some(Path::new(NOWHERE)))?
        };
        Ok(Self {
            store: Store::new(layout),
            given: given.map(Path::to_owned),
            read: BTreeMap::new(),
        })
    }

    /// Returns the driver of a case.
    ///
    /// # Errors
    ///
    /// None is named, or its file or its grant can't be used.
    pub(super) fn of(&mut self, case: &Case) -> Result<Ready, CaseError> {
        let named = case.driver.as_deref().map(|path| case.path(path));
        let path = self.given.clone().or(named).ok_or(CaseError::NoDriver)?;
        if !self.read.contains_key(&path) {
            self.read.insert(path.clone(), Component::read(&path)?);
        }
        let component = self.read.get(&path).ok_or(CaseError::NoDriver)?;
        let grant = self.grant(case, component)?;
        let (name, bytes) = (component.name.clone(), component.bytes.clone());
        let candidate = Candidate::of_file(self.store.clone(), name, bytes, grant);
        Ok(Ready {
            name: component.name.to_string(),
            candidate: candidate.map_err(CliError::from)?,
        })
    }

    fn grant(&self, case: &Case, component: &Component) -> Result<Grant, CliError> {
        let Component {
            digest,
            description,
            name,
            ..
        } = component;
        let Some(path) = case.grant.as_deref().map(|path| case.path(path)) else {
            let calls = planned_grant::to_grant(description, false)?;
            return planned_grant::made(&self.store, name, digest, &calls);
        };
        let text = String::from_utf8_lossy(&planned_grant::read(&path)?).into_owned();
        Ok(Grant::parse_for(digest, name.as_str(), &path, &text)?)
    }
}

impl Component {
    fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = planned_grant::read(path)?;
        let description = Description::read(&bytes)?;
        Ok(Self {
            digest: Digest::of(&bytes),
            name: planned_grant::name(path, &description)?,
            description,
            bytes,
        })
    }
}
