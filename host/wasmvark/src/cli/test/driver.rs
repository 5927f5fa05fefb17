//! The drivers of cases, with their grants.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use engine::driver::Description;
use policy::{Grant, Limits};
use types::Digest;

use super::case::{Case, CaseError};
use crate::cli::{CliError, Context, planned_grant};
use crate::plugin::Candidate;
use crate::store::{DriverName, Layout, Store};

/// An installation that isn't there: cases know nothing of this machine's networks,
/// containers and secrets. Debian's policy for users has this path for what never exists.
const NOWHERE: &str = "/nonexistent/wasmvark";

/// The drivers. Each file is read once.
pub(in crate::cli) struct Drivers {
    store: Store,
    given: Option<PathBuf>,
    read: BTreeMap<PathBuf, Rc<Component>>,
}

struct Component {
    bytes: Vec<u8>,
    digest: Digest,
    description: Description,
    name: DriverName,
}

/// A driver that is ready to run.
pub(in crate::cli) struct Ready {
    pub(in crate::cli) name: String,
    pub(super) candidate: Candidate,
    component: Rc<Component>,
    limits: Limits,
}

impl Ready {
    /// Returns the component's digest.
    pub(in crate::cli) fn digest(&self) -> &Digest {
        &self.component.digest
    }

    /// Returns the component's bytes.
    pub(in crate::cli) fn component(&self) -> &[u8] {
        &self.component.bytes
    }

    /// Returns the limits of the grant.
    pub(in crate::cli) fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// A driver to be installed.
pub(in crate::cli) struct Package {
    pub(in crate::cli) name: DriverName,
    pub(in crate::cli) component: Vec<u8>,
    pub(in crate::cli) code: Vec<u8>,
    /// The text of its grant.
    pub(in crate::cli) grant: String,
}

impl Drivers {
    /// Returns no drivers yet. One that is given takes the place of those that cases name.
    ///
    /// # Errors
    ///
    /// The folder for compiled code can't be determined.
    pub(in crate::cli) fn new(context: &Context, given: Option<&Path>) -> Result<Self, CliError> {
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
    pub(in crate::cli) fn of(&mut self, case: &Case) -> Result<Ready, CaseError> {
        let component = self.component(case)?;
        let grant = self.grant(case, &component)?;
        let (name, bytes) = (component.name.clone(), component.bytes.clone());
        let limits = grant.limits().clone();
        let candidate = Candidate::of_file(self.store.clone(), name, bytes, grant);
        Ok(Ready {
            name: component.name.to_string(),
            candidate: candidate.map_err(CliError::from)?,
            component,
            limits,
        })
    }

    /// Returns the driver of a case with its code and its grant, to be installed.
    ///
    /// # Errors
    ///
    /// None is named, its file or its grant can't be used, or it can't be compiled.
    pub(in crate::cli) fn package(&mut self, case: &Case) -> Result<Package, CaseError> {
        let component = self.component(case)?;
        let (digest, bytes) = (&component.digest, &component.bytes);
        let grant = self.grant(case, &component)?;
        let code = planned_grant::code(&self.store, digest, bytes)?;
        // Without it, the next try takes as long.
        let _ = self.store.keep_code(digest, &code);
        let name = component.name.clone();
        Ok(Package {
            grant: Grant::text(name.as_str(), digest, grant.limits(), grant.calls()),
            component: bytes.clone(),
            name,
            code,
        })
    }

    /// Reads the component of a case, if it hasn't been read yet.
    fn component(&mut self, case: &Case) -> Result<Rc<Component>, CaseError> {
        let named = case.driver.as_deref().map(|path| case.path(path));
        let path = self.given.clone().or(named).ok_or(CaseError::NoDriver)?;
        if let Some(component) = self.read.get(&path) {
            return Ok(Rc::clone(component));
        }
        let component = Rc::new(Component::read(&path)?);
        self.read.insert(path, Rc::clone(&component));
        Ok(component)
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
