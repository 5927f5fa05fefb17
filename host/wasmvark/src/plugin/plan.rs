//! The plan of a request. The driver runs as it would for Podman, but on a simulated
//! kernel. Nothing is changed, and no file is written but the code of a component that isn't
//! installed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::{Memory, Operation, Trail};
use engine::driver::{Usage, Watch, declared_options};
use engine::gate::Names;
use engine::rollback::Rollback;
use engine::session::{Clearing, Create, Driver, Ended, Load, Session, Setup, Teardown};
use journal::{Here, Journal};
use kernel::{Netlink, Netns, NetnsId, Timed};
use policy::{Grant, GrantError, RequestReach};
use request::protocol::{ProtocolError, Received};
use request::{Declared, Given, Network, Request, RequestError};
use serde::Deserialize;
use serde::de::IgnoredAny;
use services::SimulatedServices;
use sim::{Imagined, ImaginedReader, Simulation, Topology};
use trust::Secrets;
use types::{Digest, Key};

use super::confinement::{Confinement, Kind};
use super::load::{Loaded, Source};
use super::setup::{check_options, status, text_of};
use super::subnets::Pools;
use super::{PluginError, create, names, said};
use crate::compile::precompile;
use crate::store::{DriverName, KeptNetworks, Store};

/// The time limit for reading the machine's state, before the run begins.
pub(super) const READING_TIME: Duration = Duration::from_secs(30);

/// The note of a plan, if killed runs left changes for the network's other containers.
const OTHERS_STAY: &str = "what killed runs left for other containers of this network stays; a \
     real run would undo that first (`wasmvark journal` shows it)";

/// A driver and the grant to plan with.
pub(crate) struct Candidate {
    loaded: Loaded,
    /// The component, if the driver isn't installed.
    file: Option<Vec<u8>>,
}

/// The machine that a plan begins with.
pub(crate) enum Machine {
    /// The present one. Without a path, the container has a new namespace.
    Present(Option<PathBuf>),
    /// An imagined one, and the number of the operation that fails there, if one is to. The
    /// plan then ends with a teardown by the driver.
    Imagined(Box<Imagined>, Option<u32>),
}

/// The result of a plan.
#[derive(Debug)]
pub(crate) struct Planned {
    /// `create` or `setup`.
    pub command: &'static str,
    /// The driver's name.
    pub driver: String,
    /// The component's digest.
    pub digest: String,
    /// Whether the driver is installed.
    pub installed: bool,
    /// The grant that decided.
    pub grant: PathBuf,
    /// The network's name.
    pub network: String,
    /// The container's id.
    pub container: Option<String>,
    /// The driver's calls and, after a failure, the undo of their changes.
    pub operations: Vec<Operation>,
    /// The document for the caller, or the error.
    pub outcome: Result<String, PluginError>,
    /// The topology after the run.
    pub topology: Topology,
    /// What the teardown does: the undo of the changes and, in a test, the driver's own calls
    /// before it.
    pub undo: Vec<Operation>,
    /// The topology after the undo, if it differs from the one before the run.
    pub left: Option<Topology>,
    /// What failed in the teardown.
    pub failures: Vec<String>,
    /// Whether an operation failed because it was to.
    pub has_failed: bool,
    /// The assumptions about facts that can't be known.
    pub assumed: Vec<String>,
    /// What the run used of its limits.
    pub usage: Usage,
}

impl Candidate {
    /// Returns an installed driver, with its own grant unless another is given.
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

    /// Returns a driver that isn't installed, from its component.
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

    fn code(&self) -> Result<Source, PluginError> {
        let Some(component) = &self.file else {
            return self.loaded.code_unkept();
        };
        let Loaded { store, digest, .. } = &self.loaded;
        if let Some(kept) = store.kept_code(digest) {
            return Ok(Source::File(kept));
        }
        let code = precompile(component)?;
        // Without it, the next plan takes as long.
        let _ = store.keep_code(digest, &code);
        Source::compiled(&code)
    }

    /// Returns the options that the component declares.
    fn options(&self) -> Result<Declared, PluginError> {
        match &self.file {
            Some(component) => Ok(declared_options(component)?),
            None => self.loaded.options(),
        }
    }

    /// Plans a request, which is a document of `setup` or `create`.
    pub(crate) fn plan(&self, input: &[u8], machine: Machine) -> Result<Planned, PluginError> {
        match is_create(input)? {
            true => self.plan_create(input, machine),
            false => self.plan_setup(input, machine),
        }
    }

    fn plan_setup(&self, input: &[u8], machine: Machine) -> Result<Planned, PluginError> {
        let document = Received::setup(input)?;
        let request = Request::resolve(document.document())?;
        let driver = self.loaded.name.as_str();
        check_options(&self.options()?, driver, &request)?;
        let is_imagined = matches!(machine, Machine::Imagined(..));
        let layout = self.loaded.store.layout();
        // A confined run can't look for them any more.
        let (reach, names) = match is_imagined {
            true => (said::imagined(&request)?, names::imagined(&request)),
            false => (said::reach(layout, &request)?, names::of(layout, &request)),
        };
        let host = Netns::current()?;
        let container = machine.container(&host)?;
        let code = self.code()?;
        let trial = Trial {
            command: "setup",
            network: &request.network.name,
            container: Some(request.container_id.as_str()),
        };
        let memory = Memory::default();
        let trail = self.trail(&trial, &memory)?;
        let kernel = begin(machine, host.clone(), container.clone())?;
        let here = Here {
            host: host.id(),
            container: Some(container.as_ref().map_or(NetnsId::IMAGINED, Netns::id)),
        };
        let session = self.open(&request.key(), here, kernel.clone(), trail)?;
        let before = kernel.facts();
        let (ready, has_others) = session.recover_alone()?;
        let mut notes = Vec::new();
        notes.extend(has_others.then(|| OTHERS_STAY.to_owned()));
        let load = self.confinement((code.clone(), container));
        let load = match is_imagined {
            true => load.load_first(),
            false => load.load(),
        };
        let driver = self.driver_for(load, reach.clone(), &request, names.clone());
        let ran = ready.run(driver, |run| run.setup(&request, document.text()));
        let usage = ran.usage();
        let answered = ran.answer(|gate, answer| text_of(&status(gate, &request, answer)?));
        // What a failure leaves is undone by a kernel that works again.
        kernel.fail_no_more();
        let ended = answered.commit(|left| notes.push(left.to_owned()));
        let tried = Tried {
            kernel,
            memory,
            before,
            notes,
        };
        let tear_down = |mut rollback: Rollback| match is_imagined {
            true => {
                let driver = self.driver_for(code.load_again(), reach, &request, names);
                self.tear_down(rollback, driver, (&request, document.text()))
            }
            false => rollback.undo().iter().map(ToString::to_string).collect(),
        };
        let planned = Planned {
            usage,
            ..self.planned(&trial)
        };
        Ok(tried.planned(ended, planned, tear_down))
    }

    /// Has the driver disconnect the container, and undoes what is left. Returns what failed.
    fn tear_down(
        &self,
        rollback: Rollback,
        driver: Driver<'_>,
        (request, json): (&Request, &str),
    ) -> Vec<String> {
        let session = Session::<Teardown>::open(rollback, self.watch());
        // Only a killed setup leaves something to recover.
        let ran = session.recover(|_| {}).run(driver, |run| {
            let container_exists = true;
            run.teardown(request, container_exists, json)
        });
        let clearing: Clearing<PluginError> = ran.clearing();
        let mut failures: Vec<String> =
            clearing.failure().iter().map(ToString::to_string).collect();
        match clearing.clear(None) {
            Ok(cleared) => failures.extend(cleared.left.iter().map(ToString::to_string)),
            Err(error) => failures.push(error.to_string()),
        }
        failures
    }

    /// Opens a run on a simulated kernel.
    fn open(
        &self,
        key: &Key,
        here: Here,
        kernel: Simulation,
        trail: Trail,
    ) -> Result<Session<Setup>, PluginError> {
        let journals = self.loaded.store.layout().journals();
        let journal = Journal::open_for_trying(&journals, key, here)?;
        let rollback = Rollback::new(
            Box::new(kernel),
            Box::new(SimulatedServices),
            journal,
            trail,
        );
        Ok(Session::<Setup>::open(rollback, self.watch()))
    }

    fn plan_create(&self, input: &[u8], machine: Machine) -> Result<Planned, PluginError> {
        let document = Received::network(input)?;
        let network = Network::resolve(document.document().network())?;
        let options = self.options()?;
        let driver_name = self.loaded.name.as_str();
        options
            .check(driver_name, Given::Network, &network.options)
            .map_err(RequestError::from)?;
        let code = self.code()?;
        let is_imagined = matches!(machine, Machine::Imagined(..));
        let kernel = begin(machine, Netns::current()?, None)?;
        let trial = Trial {
            command: "create",
            network: &network.name,
            container: None,
        };
        let memory = Memory::default();
        let trail = self.trail(&trial, &memory)?;
        let layout = self.loaded.store.layout();
        let (pools, others) = match is_imagined {
            true => (Pools::imagined(&network), Vec::new()),
            false => (
                Pools::for_plan(layout, &network, &self.loaded.grant),
                KeptNetworks::new(layout).ids(),
            ),
        };
        let driver = Driver {
            pools: Some(Box::new(pools)),
            ..self.driver(
                self.confinement((code, None)).load(),
                create::reach(&network),
            )
        };
        let ran = Session::<Create>::open(Box::new(kernel.clone()), trail, self.watch())
            .run(driver, |run| run.create(&network, document.text()));
        let usage = ran.usage();
        let ended = ran
            .answer(|gate, changes| {
                let rules = create::Rules {
                    driver: driver_name,
                    options: &options,
                    others: &others,
                };
                create::change(gate, &document, &network, changes, &rules)
            })
            .end();
        Ok(Planned {
            operations: memory.take(),
            outcome: ended.result.map(|created| created.json),
            topology: kernel.topology(),
            assumed: kernel.assumed(),
            has_failed: kernel.has_failed(),
            usage,
            ..self.planned(&trial)
        })
    }

    /// Starts the watch of a run.
    fn watch(&self) -> Watch {
        Watch::begin(self.loaded.grant.limits())
    }

    fn trail(&self, trial: &Trial<'_>, memory: &Memory) -> Result<Trail, PluginError> {
        let subject = self
            .loaded
            .subject(trial.command, trial.network, trial.container);
        Ok(Trail::in_memory(memory, subject)?)
    }

    fn confinement(&self, (code, container): Mapping) -> Confinement<'_> {
        Confinement {
            loaded: &self.loaded,
            kind: Kind::Plan,
            secrets: Vec::new(),
            container,
            code,
        }
    }

    fn driver<'a>(&self, load: Load<'a>, reach: RequestReach) -> Driver<'a> {
        let secrets = self.loaded.store.layout().secrets.clone();
        let secrets = Secrets::unread(secrets);
        self.loaded.driver(load, reach, secrets)
    }

    fn driver_for<'a>(
        &self,
        load: Load<'a>,
        reach: RequestReach,
        request: &Request,
        names: Option<Names>,
    ) -> Driver<'a> {
        Driver {
            names,
            // No server is asked, so the path doesn't matter.
            dhcp: Some(names::dhcp_client(request, Path::new("/"))),
            ..self.driver(load, reach)
        }
    }

    /// Returns the parts of a plan that are known before the run.
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
            failures: Vec::new(),
            has_failed: false,
            assumed: Vec::new(),
            usage: Usage::default(),
        }
    }
}

/// The driver's code, and the container's namespace if a thread is in it.
type Mapping = (Source, Option<Netns>);

/// The run that is planned.
struct Trial<'a> {
    command: &'static str,
    network: &'a str,
    container: Option<&'a str>,
}

/// A setup that has run on the simulated kernel.
struct Tried {
    kernel: Simulation,
    memory: Memory,
    /// The facts before the setup.
    before: Vec<String>,
    notes: Vec<String>,
}

impl Tried {
    /// Adds the setup's operations to the plan and, if it succeeded, what undoes them.
    fn planned(
        mut self,
        ended: Ended<String, PluginError>,
        planned: Planned,
        tear_down: impl FnOnce(Rollback) -> Vec<String>,
    ) -> Planned {
        let operations = self.memory.take();
        let topology = self.kernel.topology();
        let failures = match ended.result.is_ok() {
            true => tear_down(ended.rollback),
            false => Vec::new(),
        };
        self.notes.extend(failures.iter().cloned());
        let mut assumed = self.kernel.assumed();
        assumed.extend(self.notes);
        let is_changed = self.kernel.facts() != self.before;
        Planned {
            operations,
            outcome: ended.result,
            left: is_changed.then(|| self.kernel.topology()),
            topology,
            undo: self.memory.take(),
            failures,
            has_failed: self.kernel.has_failed(),
            assumed,
            ..planned
        }
    }
}

impl Machine {
    /// Opens the container's namespace, if it has one here.
    fn container(&self, host: &Netns) -> Result<Option<Netns>, PluginError> {
        let Self::Present(Some(path)) = self else {
            return Ok(None);
        };
        Ok(Some(Netns::container(path, host)?))
    }
}

/// Starts a simulated kernel with a machine's state.
fn begin(
    machine: Machine,
    host: Netns,
    container: Option<Netns>,
) -> Result<Simulation, PluginError> {
    if let Machine::Imagined(imagined, fails_at) = machine {
        let reader = ImaginedReader(Arc::new(*imagined));
        let kernel = Simulation::begin(Box::new(reader), true).map_err(PluginError::Reading)?;
        kernel.fail_at(fails_at.unwrap_or_default());
        return Ok(kernel);
    }
    let has_container = container.is_some();
    let mut reader = Netlink::open(host, container)?;
    reader.set_deadline(Instant::now() + READING_TIME);
    Simulation::begin(Box::new(reader), has_container).map_err(PluginError::Reading)
}

/// Whether a document is one of `create`, which is a network by itself.
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
