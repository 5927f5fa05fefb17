//! `setup`: the driver connects a container. After a failure, its changes are undone
//! before the caller gets the error.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use audit::{Subject, Trail};
use engine::driver::{Answer, Watch};
use engine::gate::{Gate, Names};
use engine::rollback::Rollback;
use engine::session::{Driver, Session, Setup};
use journal::{Here, Journal, NetworkLock};
use kernel::{Netlink, Netns};
use policy::{Call, Object, RequestReach};
use request::protocol::{Received, StatusBlock};
use request::{Declared, Given, Request, RequestError, answer};
use types::PortRange;
use types::text;

use super::confinement::{Confinement, Kind};
use super::keeper::Keeper;
use super::load::{Loaded, Source, store};
use super::remains::{self, Remains};
use super::{PluginError, bridges, dead_owners, leave, lock, names, output, restore, said, tell};

/// Runs `setup`.
pub(super) fn run(name: &str, netns: &Path, input: &[u8]) -> Result<String, PluginError> {
    let document = Received::setup(input)?;
    let request = Request::resolve(document.document())?;
    let (store, name) = store(name)?;
    let loaded = Loaded::find(store, name)?;
    let host = Netns::current()?;
    let container = Netns::container(netns, &host)?;
    let here = Here {
        host: host.id(),
        container: Some(container.id()),
    };
    let names = names::of(loaded.store.layout(), &request);
    // A keeper can't be started once there are other threads.
    let keeper = Keeper::for_setup(&loaded, &request, names.as_ref(), (here, netns))?;
    // Compiling takes long, so it comes before the network's lock.
    let (code, options) = loaded.code_with_options()?;
    check_options(&options, loaded.name.as_str(), &request)?;
    if let Err(error) = dead_owners::clear_for(&loaded.store, loaded.grant.driver(), &request) {
        tell(&format!(
            "containers that are gone could not be cleared: {error}"
        ));
    }
    let lock = lock::take(loaded.store.layout(), &request.key(), "setup")?;
    keeper.begin()?;
    restore::before(&loaded.store, &request.key());
    let connection = Connection {
        loaded: &loaded,
        code,
        lock: &lock,
        keeper: &keeper,
        request: &request,
        names,
        json: document.text(),
    };
    let result = connection.run((host, container), (here, netns));
    drop(lock);
    leave(keeper);
    result
}

/// Checks the options of the network and of the container.
pub(super) fn check_options(
    declared: &Declared,
    driver: &str,
    request: &Request,
) -> Result<(), RequestError> {
    declared.check(driver, Given::Container, &request.options)?;
    declared.check(driver, Given::Kept, &request.network.options)?;
    Ok(())
}

/// A driver and the request that it connects, under the network's lock.
struct Connection<'a> {
    loaded: &'a Loaded,
    code: Source,
    lock: &'a NetworkLock,
    keeper: &'a Keeper,
    request: &'a Request,
    names: Option<Names>,
    json: &'a str,
}

impl Connection<'_> {
    fn run(
        &self,
        (host, container): (Netns, Netns),
        (here, netns): (Here, &Path),
    ) -> Result<String, PluginError> {
        let remains = Remains {
            store: &self.loaded.store,
            key: &self.request.key(),
            host: host.clone(),
            container: Some(container.clone()),
            keeper: self.keeper,
        };
        let (session, driver, spare) = self.open(host, container, (here, netns))?;
        let result = remains::contain(|| self.connect(session, driver));
        result.unwrap_or_else(|error| {
            remains.undo(spare, &error);
            Err(error)
        })
    }

    /// Opens the session and the driver, with the trail once more. The watch begins here,
    /// so that the wait for the lock doesn't count.
    fn open(
        &self,
        host: Netns,
        container: Netns,
        (here, netns): (Here, &Path),
    ) -> Result<(Session<Setup>, Driver<'_>, Trail), PluginError> {
        let watch = Watch::begin(self.loaded.grant.limits())
            .and_signals()
            .map_err(PluginError::Signals)?;
        let layout = self.loaded.store.layout();
        let journal = Journal::open(&layout.journals(), &self.request.key(), here)?;
        let trail = self.loaded.trail(self.subject(), self.keeper)?;
        let spare = trail.spare();
        let mut kernel = Box::new(Netlink::open(host, Some(container.clone()))?);
        let mut reach = said::reach(layout, self.request)?;
        let network = &self.request.network.id;
        bridges::note(&mut reach, self.loaded, network, (here.host, &mut kernel));
        let confinement = Confinement {
            loaded: self.loaded,
            kind: Kind::Connect,
            secrets: reach.secrets.clone(),
            container: Some(container),
            code: self.code.clone(),
        };
        let driver = Driver {
            names: self.names.clone(),
            dhcp: Some(names::dhcp_client(self.request, netns)),
            ..self
                .loaded
                .driver(confinement.load(), reach, self.loaded.secrets())
        };
        let rollback = Rollback::new(kernel, self.keeper.services(), journal, trail);
        Ok((Session::<Setup>::open(rollback, watch), driver, spare))
    }

    fn connect(&self, session: Session<Setup>, driver: Driver<'_>) -> Result<String, PluginError> {
        let mut settings = BTreeMap::new();
        let ended = session
            .recover(self.lock)?
            .run(driver, |run| run.setup(self.request, self.json))
            .answer(|gate, answer| {
                let text = text_of(&status(gate, self.request, answer)?)?;
                output::check(&text)?;
                settings.clone_from(gate.host_settings());
                Ok(text)
            })
            .commit(tell);
        let mut rollback = ended.rollback;
        rollback.leave_folder();
        leave(rollback);
        if ended.result.is_ok() {
            self.keep(&settings);
        }
        ended.result
    }

    /// Keeps the host's settings. The container works without, so a failure is only told.
    fn keep(&self, settings: &BTreeMap<String, String>) {
        if let Err(error) = self.keeper.keep_settings(settings) {
            tell(&format!("settings of the host could not be kept: {error}"));
        }
    }

    /// Returns the subject of the run, for the audit trail.
    fn subject(&self) -> Subject {
        let container = self.request.container_id.as_str();
        let network = &self.request.network.name;
        self.loaded.subject("setup", network, Some(container))
    }
}

/// Returns the answer as JSON.
pub(super) fn text_of(status: &StatusBlock) -> Result<String, PluginError> {
    serde_json::to_string(status).map_err(|error| PluginError::Internal(error.to_string()))
}

/// Returns the reach of a request: the objects that it names.
pub(super) fn reach(request: &Request) -> RequestReach {
    let defaults = request.default_routes.iter();
    RequestReach {
        parent: request.network.parent_name().cloned(),
        default_parent: None,
        mode: request.option("mode").map(str::to_owned),
        flag: request.option("flag").map(str::to_owned),
        parent_property: request.parent_property.clone(),
        interface_name: Some(request.interface_name.clone()),
        host_interface_name: request.host_interface_name.clone(),
        vrf: request.network.vrf.clone(),
        ndp_proxy: request.ndp_proxy(),
        container_vrf: request.network.container_vrf.clone(),
        internal: request.network.internal,
        network: request.network.id.to_string(),
        container: request.container_id.to_string(),
        addresses: request.addresses.clone(),
        gateways: request.network.gateways(),
        subnets: request
            .network
            .subnets
            .iter()
            .map(|subnet| subnet.subnet)
            .collect(),
        routes: defaults.chain(&request.routes).cloned().collect(),
        secrets: request.secrets(),
        outbound: request.outbound(),
        host_addresses: request.host_addresses(),
        ports: PortRange::fold(&request.ports),
        publish_interface: request.publish_interface.clone(),
        macvlan_sources: request.macvlan_sources(),
        vlans: request.vlans(),
        vnis: request.vnis(),
        settings: request.settings(),
        vf: request.vf(),
        name_servers: request.network.name_servers.clone(),
        ..RequestReach::default()
    }
}

/// Returns the answer: the driver's links according to the kernel, and the driver's DNS
/// servers and search domains.
pub(super) fn status(
    gate: &mut Gate,
    request: &Request,
    added: Answer,
) -> Result<StatusBlock, PluginError> {
    let links = gate.report().map_err(PluginError::Report)?;
    let servers = added.dns_servers.into_iter().map(|text| {
        text.parse::<IpAddr>().map_err(|_| PluginError::Answer {
            what: "DNS server",
            text,
        })
    });
    let servers: Vec<IpAddr> = servers.collect::<Result<_, _>>()?;
    let domains = added.search_domains;
    if let Some(text) = domains.iter().find(|domain| !text::is_domain(domain)) {
        return Err(PluginError::Answer {
            what: "search domain",
            text: text.clone(),
        });
    }
    allow(gate, &servers, &domains)?;
    let (servers, domains) = names::with_served(gate, servers, domains);
    Ok(answer(request, links, gate.leased(), servers, domains))
}

/// Decides on the driver's DNS servers and search domains.
fn allow(gate: &mut Gate, servers: &[IpAddr], domains: &[String]) -> Result<(), PluginError> {
    let servers: Vec<_> = servers.iter().copied().map(Object::NameServer).collect();
    if !servers.is_empty() {
        gate.allow_returned(Call::AnswerDns, &servers)?;
    }
    let domains = domains.iter().map(|domain| Object::SearchDomain(domain));
    let domains: Vec<_> = domains.collect();
    if !domains.is_empty() {
        gate.allow_returned(Call::AnswerSearch, &domains)?;
    }
    Ok(())
}
