//! `setup`: the driver connects a container. When it fails, what it did is
//! undone before the caller hears of it.

use std::net::IpAddr;
use std::path::Path;

use crate::driver::{self, Answer, Watch};
use crate::gate::Gate;
use crate::grant::{Authority, RequestReach};
use crate::journal::{Here, Journal};
use crate::kernel::{Netlink, Netns};
use crate::net::PortRange;
use crate::protocol::{ProtocolError, SetupDocument, StatusBlock};
use crate::request::{Request, answer};
use crate::text;

use super::load::{Loaded, store};
use super::{PluginError, leave, tell, turn};

/// Runs `setup`.
pub(super) fn run(name: &str, netns: &Path, input: &[u8]) -> Result<String, PluginError> {
    let request = Request::resolve(&parse(input)?)?;
    let (store, name) = store(name)?;
    let loaded = Loaded::find(store, name)?;
    let code = loaded.code()?;
    let host = Netns::current()?;
    let container = Netns::container(netns, &host)?;
    let key = request.key();
    let layout = loaded.store.layout();
    let lock = turn::take(layout, &key, "setup")?;
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
    let trail = loaded.trail(
        "setup",
        &request.network.name,
        Some(request.container_id.as_str()),
    )?;
    let kernel = Netlink::open(host, Some(container), deadline)?;
    let authority = Authority {
        grant: loaded.grant.clone(),
        request: reach(&request),
    };
    let mut gate = Gate::new(
        Box::new(kernel),
        authority,
        Some(journal),
        trail,
        loaded.log(),
        loaded.secrets(),
    );
    // A run that was killed may have left something behind.
    let mut left = gate.undo();
    left.extend(turn::recover_others(&mut gate, &lock)?);
    if !left.is_empty() {
        return Err(PluginError::Undo(left));
    }
    gate.set_deadline(deadline);
    let json = String::from_utf8_lossy(input).into_owned();
    let limits = loaded.grant.limits();
    let (mut gate, result) =
        driver::run(&code, gate, limits, watch, |run| run.setup(&request, json));
    let result = result
        .map_err(PluginError::from)
        .and_then(|answer| status(&mut gate, &request, answer));
    let result = finish(&mut gate, result);
    drop(lock);
    leave((gate, code));
    result
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
    let servers = servers.collect::<Result<_, _>>()?;
    let domains = added.search_domains;
    if let Some(text) = domains.iter().find(|domain| !text::is_domain(domain)) {
        return Err(PluginError::Answer {
            what: "search domain",
            text: text.clone(),
        });
    }
    Ok(answer(request, links, servers, domains))
}

/// Ends the run: a failure is undone first, and is what the caller hears of,
/// whatever undoing comes to.
fn finish(
    gate: &mut Gate,
    result: Result<StatusBlock, PluginError>,
) -> Result<String, PluginError> {
    let result = result.and_then(|status| {
        let text = serde_json::to_string(&status)
            .map_err(|error| PluginError::Internal(error.to_string()))?;
        gate.keep_state()?;
        gate.complete()?;
        gate.end(None)?;
        gate.publish_state();
        Ok(text)
    });
    if let Err(error) = &result {
        for left in gate.undo() {
            tell(&left.to_string());
        }
        // The trail may be what failed.
        let _ = gate.end(Some(&error.to_string()));
    }
    result
}
