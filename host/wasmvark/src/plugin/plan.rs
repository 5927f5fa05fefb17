//! Trying a request out: the driver runs as it would for Podman, before a
//! kernel whose changes are in memory. Nothing is changed and no file written.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit::{Memory, Operation, Trail};
use engine::driver::{self, Code, Watch};
use engine::gate::Gate;
use engine::rollback::Rollback;
use journal::{Here, Journal};
use kernel::{Kernel, Netlink, Netns, NetnsId, Reader, Timed};
use policy::{Authority, Grant, GrantError, RequestReach};
use request::protocol::{NetworkDocument, ProtocolError};
use request::{Network, Request};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sim::{Simulation, Topology};
use trust::Secrets;
use types::Digest;

use super::load::{Loaded, compile};
use super::setup::{parse, status};
use super::{PluginError, create, said};
use crate::store::{DriverName, KeptNetworks, Store};

/// How long reading the machine's state may take, before the run begins.
const READING_TIME: Duration = Duration::from_secs(30);

/// A driver to try out, and the grant to try it with.
pub(crate) struct Candidate {
    loaded: Loaded,
    /// The component, where it isn't installed.
    file: Option<Vec<u8>>,
}

/// What came of a plan.
#[derive(Debug)]
pub(crate) struct Planned {
    /// `create` or `setup`.
    pub command: &'static str,
    /// The driver's name.
    pub driver: String,
    /// The component's digest.
    pub digest: String,
    /// Whether it's installed.
    pub installed: bool,
    /// The grant that decided.
    pub grant: PathBuf,
    /// The network's name.
    pub network: String,
    /// The container's id.
    pub container: Option<String>,
    /// What was asked for and, after a failure, undone.
    pub operations: Vec<Operation>,
    /// The document that the caller would get, or why there is none.
    pub outcome: Result<String, PluginError>,
    /// How everything would be.
    pub topology: Topology,
    /// What the host would undo when the container goes.
    pub undo: Vec<Operation>,
    /// How everything would be then, unless it's as it was.
    pub left: Option<Topology>,
    /// What can't be known and was assumed.
    pub assumed: Vec<String>,
}

impl Candidate {
    /// An installed driver; with its own grant unless another is given.
    pub(crate) fn installed(
        store: Store,
        name: DriverName,
        grant: Option<Grant>,
    ) -> Result<Self, PluginError> {
        let loaded = match grant {
            None => Loaded::find(store, name)?,
            Some(grant) => {
                let digest = store.find(&name)?.digest;
                store.check_component(&name, &digest)?;
                Self::load(store, name, digest, grant)?
            }
        };
        Ok(Self { loaded, file: None })
    }

    /// A component's file.
    pub(crate) fn of_file(
        store: Store,
        name: DriverName,
        component: Vec<u8>,
        grant: Grant,
    ) -> Result<Self, PluginError> {
        let digest = Digest::of(&component);
        Ok(Self {
            loaded: Self::load(store, name, digest, grant)?,
            file: Some(component),
        })
    }

    fn load(
        store: Store,
        name: DriverName,
        digest: Digest,
        grant: Grant,
    ) -> Result<Loaded, GrantError> {
        grant.check_digest(&digest)?;
        Ok(Loaded {
            store,
            name,
            digest,
            grant,
        })
    }

    fn code(&self) -> Result<Code, PluginError> {
        match &self.file {
            Some(component) => Ok(compile(component)?.0),
            None => self.loaded.code_unkept(),
        }
    }

    /// Tries a request out: the document of `setup` or of `create`. Without
    /// `netns` the container has a new namespace.
    pub(crate) fn plan(&self, input: &[u8], netns: Option<&Path>) -> Result<Planned, PluginError> {
        match is_create(input)? {
            true => self.plan_create(input),
            false => self.plan_setup(input, netns),
        }
    }

    fn plan_setup(&self, input: &[u8], netns: Option<&Path>) -> Result<Planned, PluginError> {
        let request = Request::resolve(&parse(input)?)?;
        let host = Netns::current()?;
        let container = netns
            .map(|netns| Netns::container(netns, &host))
            .transpose()?;
        let code = self.code()?;
        let here = Here {
            host: host.id(),
            container: Some(container.as_ref().map_or(NetnsId::IMAGINED, Netns::id)),
        };
        let layout = self.loaded.store.layout();
        let journal = Journal::open_for_trying(&layout.journals(), &request.key(), here)?;
        let mut kernel = begin(host, container)?;
        let before = kernel.facts();
        let container = request.container_id.as_str();
        let memory = Memory::default();
        let trial = Trial {
            command: "setup",
            network: &request.network.name,
            container: Some(container),
            reach: said::reach(layout, &request)?,
        };
        let mut gate = self.gate(&trial, &kernel, Some(journal), &memory)?;
        let mut left = gate.rollback().undo();
        let mut notes = Vec::new();
        if !gate.rollback().abandoned_journals()?.is_empty() {
            notes.push(
                "what killed runs left for other containers of this network stays; a real run \
                 would undo that first (`wasmvark journal` shows it)"
                    .to_owned(),
            );
        }
        if !left.is_empty() {
            return Err(PluginError::Undo(left));
        }
        let deadline = self.loaded.deadline();
        gate.rollback().set_deadline(deadline);
        let json = String::from_utf8_lossy(input).into_owned();
        let limits = self.loaded.grant.limits();
        let (mut gate, result) = driver::run(&code, gate, limits, Watch::until(deadline), |run| {
            run.setup(&request, json)
        });
        let outcome = result
            .map_err(PluginError::from)
            .and_then(|answer| status(&mut gate, &request, answer))
            .and_then(|status| text_of(&status));
        if outcome.is_err() {
            left = gate.rollback().undo();
        }
        let operations = memory.take();
        let topology = kernel.topology();
        if outcome.is_ok() {
            gate.rollback().complete()?;
            left = gate.rollback().undo();
        }
        let undo = memory.take();
        kernel.set_deadline(deadline);
        notes.extend(left.iter().map(ToString::to_string));
        let mut assumed = kernel.assumed();
        assumed.extend(notes);
        Ok(Planned {
            operations,
            outcome,
            left: (kernel.facts() != before).then(|| kernel.topology()),
            topology,
            undo,
            assumed,
            ..self.planned(&trial)
        })
    }

    fn plan_create(&self, input: &[u8]) -> Result<Planned, PluginError> {
        let document = NetworkDocument::parse(input)?;
        let network = Network::resolve(document.network())?;
        let code = self.code()?;
        let kernel = begin(Netns::current()?, None)?;
        let memory = Memory::default();
        let trial = Trial {
            command: "create",
            network: &network.name,
            container: None,
            reach: create::reach(&network),
        };
        let mut gate = self.gate(&trial, &kernel, None, &memory)?;
        let deadline = self.loaded.deadline();
        gate.rollback().set_deadline(deadline);
        let json = String::from_utf8_lossy(input).into_owned();
        let limits = self.loaded.grant.limits();
        let (mut gate, result) = driver::run(&code, gate, limits, Watch::until(deadline), |run| {
            run.create(&network, json)
        });
        let others = KeptNetworks::new(self.loaded.store.layout()).ids();
        let created = result
            .map_err(PluginError::from)
            .and_then(|changes| create::change(&mut gate, document, &network, changes, &others));
        Ok(Planned {
            operations: memory.take(),
            outcome: created.map(|created| created.json),
            topology: kernel.topology(),
            assumed: kernel.assumed(),
            ..self.planned(&trial)
        })
    }

    fn gate(
        &self,
        trial: &Trial<'_>,
        kernel: &Simulation,
        journal: Option<Journal>,
        memory: &Memory,
    ) -> Result<Gate, PluginError> {
        let subject = self
            .loaded
            .subject(trial.command, trial.network, trial.container);
        let authority = Authority {
            grant: self.loaded.grant.clone(),
            request: trial.reach.clone(),
        };
        let secrets = self.loaded.store.layout().secrets.clone();
        let kernel: Box<dyn Kernel + Send> = Box::new(kernel.clone());
        let trail = Trail::in_memory(memory, subject)?;
        Ok(Gate::new(
            Rollback::new(kernel, journal, trail),
            authority,
            self.loaded.log(),
            Secrets::unread(secrets),
        ))
    }

    /// What is known before the run.
    fn planned(&self, trial: &Trial<'_>) -> Planned {
        Planned {
            command: trial.command,
            driver: self.loaded.name.to_string(),
            digest: self.loaded.digest.to_string(),
            installed: self.file.is_none(),
            grant: self.loaded.grant.path().to_owned(),
            network: trial.network.to_owned(),
            container: trial.container.map(str::to_owned),
            operations: Vec::new(),
            outcome: Ok(String::new()),
            topology: Topology::default(),
            undo: Vec::new(),
            left: None,
            assumed: Vec::new(),
        }
    }
}

/// What is tried out.
struct Trial<'a> {
    command: &'static str,
    network: &'a str,
    container: Option<&'a str>,
    reach: RequestReach,
}

/// Reads how the machine is.
fn begin(host: Netns, container: Option<Netns>) -> Result<Simulation, PluginError> {
    let has_container = container.is_some();
    let reader = Netlink::open(host, container, Instant::now() + READING_TIME)?;
    let reader: Box<dyn Reader + Send> = Box::new(reader);
    Simulation::begin(reader, has_container).map_err(PluginError::Reading)
}

fn text_of(document: &impl serde::Serialize) -> Result<String, PluginError> {
    serde_json::to_string(document).map_err(|error| PluginError::Internal(error.to_string()))
}

/// Whether a document is one of `create`: a network by itself.
fn is_create(input: &[u8]) -> Result<bool, PluginError> {
    #[derive(Deserialize)]
    struct Shape {
        container_id: Option<IgnoredAny>,
        network: Option<IgnoredAny>,
    }
    let shape: Shape = serde_json::from_slice(input).map_err(|error| {
        PluginError::Protocol(ProtocolError::Malformed {
            document: "setup",
            error,
        })
    })?;
    Ok(shape.container_id.is_none() && shape.network.is_none())
}
