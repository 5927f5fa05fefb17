//! `setup`: the driver connects a container. When it fails, what it did is
//! undone before the caller hears of it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;

use audit::Subject;
use engine::driver::{self, Answer, Code, Watch};
use engine::gate::Gate;
use engine::rollback::Rollback;
use journal::{Here, Journal, NetworkLock};
use kernel::{Netlink, Netns};
use policy::{Authority, Call, Object, RequestReach};
use request::protocol::{ProtocolError, SetupDocument, StatusBlock};
use request::{Request, answer};
use types::PortRange;
use types::text;

use super::load::{Loaded, store};
use super::remains::{self, Remains};
use super::{PluginError, leave, lock, output, said, tell};

/// Runs `setup`.
pub(super) fn run(name: &str, netns: &Path, input: &[u8]) -> Result<String, PluginError> {
    let request = Request::resolve(&parse(input)?)?;
    let (store, name) = store(name)?;
    let loaded = Loaded::find(store, name)?;
    let host = Netns::current()?;
    let container = Netns::container(netns, &host)?;
    // It may have to be compiled, for which nobody should wait in vain.
    let code = loaded.code()?;
    let key = request.key();
    let layout = loaded.store.layout();
    let lock = lock::take(layout, &key, "setup")?;
    // Waiting for the turn doesn't count.
    let deadline = loaded.deadline();
    let watch = Watch::until(deadline)
        .and_signals()
        .map_err(PluginError::Signals)?;
    let here = Here {
        host: host.id(),
        container: Some(container.id()),
    };
    let journal = Journal::open(&layout.journals(), &key, here)?;
    let subject = subject(&loaded, &request);
    let trail = loaded.trail_of(subject.clone())?;
    let kernel = Netlink::open(host, Some(container), deadline)?;
    let authority = Authority {
        grant: loaded.grant.clone(),
        request: said::reach(layout, &request)?,
    };
    let rollback = Rollback::new(Box::new(kernel), Some(journal), trail);
    let gate = Gate::new(rollback, authority, loaded.log(), loaded.secrets());
    let json = String::from_utf8_lossy(input).into_owned();
    let connection = Connection {
        loaded: &loaded,
        code: &code,
        request: &request,
        watch,
        deadline,
    };
    let result = remains::contain(|| connection.run(gate, &lock, json));
    let result = result.unwrap_or_else(|error| {
        let remains = Remains {
            store: &loaded.store,
            key: &key,
            here,
            netns: Some(netns),
        };
        remains.undo(subject, &error);
        Err(error)
    });
    drop(lock);
    leave(code);
    result
}

/// Whom a run is for.
fn subject(loaded: &Loaded, request: &Request) -> Subject {
    let container = request.container_id.as_str();
    loaded.subject("setup", &request.network.name, Some(container))
}

/// A driver, and the request that it connects.
struct Connection<'a> {
    loaded: &'a Loaded,
    code: &'a Code,
    request: &'a Request,
    watch: Watch,
    deadline: Instant,
}

impl Connection<'_> {
    fn run(self, mut gate: Gate, lock: &NetworkLock, json: String) -> Result<String, PluginError> {
        // A run that was killed may have left something behind.
        let rollback = gate.rollback();
        let mut left = rollback.undo();
        left.extend(lock::recover_others(rollback, lock)?);
        if !left.is_empty() {
            return Err(PluginError::Undo(left));
        }
        rollback.set_deadline(self.deadline);
        let limits = self.loaded.grant.limits();
        let request = self.request;
        let (mut gate, result) = driver::run(self.code, gate, limits, self.watch, |run| {
            run.setup(request, json)
        });
        let result = result
            .map_err(PluginError::from)
            .and_then(|answer| status(&mut gate, request, answer));
        let mut rollback = gate.into_rollback();
        let result = finish(&mut rollback, result);
        leave(rollback);
        result
    }
}

/// Parses the input of `setup` and `teardown`.
pub(super) fn parse(input: &[u8]) -> Result<SetupDocument, PluginError> {
    serde_json::from_slice(input).map_err(|error| {
        PluginError::Protocol(ProtocolError::Malformed {
            document: "setup",
            error,
        })
    })
}

/// What a request makes reachable.
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
        container_vrf: request.network.container_vrf.clone(),
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
        ports: PortRange::fold(&request.ports),
        vlans: request.vlans(),
        vnis: request.vnis(),
        settings: request.settings(),
        name_servers: request.network.name_servers.clone(),
        ..RequestReach::default()
    }
}

/// The answer: what the kernel has, and what the driver adds.
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
    Ok(answer(request, links, servers, domains))
}

/// Decides on what the driver adds to the answer.
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

/// Ends the run: a failure is undone first, and is what the caller hears of,
/// whatever undoing comes to.
fn finish(
    rollback: &mut Rollback,
    result: Result<StatusBlock, PluginError>,
) -> Result<String, PluginError> {
    let result = result.and_then(|status| {
        let text = serde_json::to_string(&status)
            .map_err(|error| PluginError::Internal(error.to_string()))?;
        output::check(&text)?;
        rollback.keep_state()?;
        rollback.complete()?;
        rollback.end(None)?;
        rollback.publish_state();
        Ok(text)
    });
    if let Err(error) = &result {
        for left in rollback.undo() {
            tell(&left.to_string());
        }
        // The trail may be what failed.
        let _ = rollback.end(Some(&error.to_string()));
    }
    result
}
