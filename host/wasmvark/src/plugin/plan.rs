//! Trying a request out: the driver runs as it would for Podman, before a
//! kernel whose changes are in memory. Nothing is changed and no file written.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit::{Memory, Operation, Trail};
use engine::driver::{Code, Watch};
use engine::rollback::Rollback;
use engine::session::{Create, Driver, Ended, Session, Setup};
use journal::{Here, Journal};
use kernel::{Netlink, Netns, NetnsId, Timed};
use policy::{Grant, GrantError, RequestReach};
use request::protocol::{ProtocolError, Received};
use request::{Network, Request};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sim::{Simulation, Topology};
use trust::Secrets;
use types::{Digest, Key};

use super::load::{Loaded, compile};
use super::setup::{status, text_of};
use super::{PluginError, create, said};
use crate::store::{DriverName, KeptNetworks, Store};

/// How long reading the machine's state may take, before the run begins.
const READING_TIME: Duration = Duration::from_secs(30);

/// What a plan says where killed runs left something for others.
const OTHERS_STAY: &str = "what killed runs left for other containers of this network stays; a \
     real run would undo that first (`wasmvark journal` shows it)";

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
        let document = Received::setup(input)?;
        let request = Request::resolve(document.document())?;
        let reach = said::reach(self.loaded.store.layout(), &request)?;
        let host = Netns::current()?;
        let container = netns
            .map(|netns| Netns::container(netns, &host))
            .transpose()?;
        let code = self.code()?;
        let trial = Trial {
            command: "setup",
            network: &request.network.name,
            container: Some(request.container_id.as_str()),
        };
        let memory = Memory::default();
        let trail = self.trail(&trial, &memory)?;
        let (kernel, session) = self.open(&request.key(), host, container, trail)?;
        let before = kernel.facts();
        let (ready, has_others) = session.recover_alone()?;
        let mut notes = Vec::new();
        notes.extend(has_others.then(|| OTHERS_STAY.to_owned()));
        let ended = ready
            .run(self.driver(&code, reach), |run| {
                run.setup(&request, document.text())
            })
            .answer(|gate, answer| text_of(&status(gate, &request, answer)?))
            .commit(|left| notes.push(left.to_owned()));
        let tried = Tried {
            kernel,
            memory,
            before,
            notes,
        };
        Ok(tried.planned(ended, self.planned(&trial)))
    }

    /// Opens a run whose changes are in memory.
    fn open(
        &self,
        key: &Key,
        host: Netns,
        container: Option<Netns>,
        trail: Trail,
    ) -> Result<(Simulation, Session<Setup>), PluginError> {
        let here = Here {
            host: host.id(),
            container: Some(container.as_ref().map_or(NetnsId::IMAGINED, Netns::id)),
        };
        let journals = self.loaded.store.layout().journals();
        let journal = Journal::open_for_trying(&journals, key, here)?;
        let kernel = begin(host, container)?;
        let rollback = Rollback::new(Box::new(kernel.clone()), journal, trail);
        let session = Session::<Setup>::open(rollback, self.watch());
        Ok((kernel, session))
    }

    fn plan_create(&self, input: &[u8]) -> Result<Planned, PluginError> {
        let document = Received::network(input)?;
        let network = Network::resolve(document.document().network())?;
        let code = self.code()?;
        let kernel = begin(Netns::current()?, None)?;
        let trial = Trial {
            command: "create",
            network: &network.name,
            container: None,
        };
        let memory = Memory::default();
        let trail = self.trail(&trial, &memory)?;
        let driver = self.driver(&code, create::reach(&network));
        let networks = KeptNetworks::new(self.loaded.store.layout());
        let ended = Session::<Create>::open(Box::new(kernel.clone()), trail, self.watch())
            .run(driver, |run| run.create(&network, document.text()))
            .answer(|gate, changes| {
                create::change(gate, &document, &network, changes, &networks.ids())
            })
            .end();
        Ok(Planned {
            operations: memory.take(),
            outcome: ended.result.map(|created| created.json),
            topology: kernel.topology(),
            assumed: kernel.assumed(),
            ..self.planned(&trial)
        })
    }

    /// The time of a run that begins now.
    fn watch(&self) -> Watch {
        Watch::begin(self.loaded.grant.limits())
    }

    fn trail(&self, trial: &Trial<'_>, memory: &Memory) -> Result<Trail, PluginError> {
        let subject = self
            .loaded
            .subject(trial.command, trial.network, trial.container);
        Ok(Trail::in_memory(memory, subject)?)
    }

    fn driver<'a>(&self, code: &'a Code, reach: RequestReach) -> Driver<'a> {
        let secrets = self.loaded.store.layout().secrets.clone();
        self.loaded.driver(code, reach, Secrets::unread(secrets))
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
}

/// A setup that was tried out.
struct Tried {
    kernel: Simulation,
    memory: Memory,
    /// How everything was before it.
    before: Vec<String>,
    notes: Vec<String>,
}

impl Tried {
    /// Says what it did, and what undoing it would do where it succeeded.
    fn planned(mut self, mut ended: Ended<String, PluginError>, planned: Planned) -> Planned {
        let operations = self.memory.take();
        let topology = self.kernel.topology();
        if ended.result.is_ok() {
            let left = ended.rollback.undo();
            self.notes.extend(left.iter().map(ToString::to_string));
        }
        let mut assumed = self.kernel.assumed();
        assumed.extend(self.notes);
        let is_changed = self.kernel.facts() != self.before;
        Planned {
            operations,
            outcome: ended.result,
            left: is_changed.then(|| self.kernel.topology()),
            topology,
            undo: self.memory.take(),
            assumed,
            ..planned
        }
    }
}

/// Reads how the machine is.
fn begin(host: Netns, container: Option<Netns>) -> Result<Simulation, PluginError> {
    let has_container = container.is_some();
    let mut reader = Netlink::open(host, container)?;
    reader.set_deadline(Instant::now() + READING_TIME);
    Simulation::begin(Box::new(reader), has_container).map_err(PluginError::Reading)
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
