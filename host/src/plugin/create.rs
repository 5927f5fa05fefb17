//! `create`: the driver checks a new network and says what it wants changed.

use crate::driver::{self, NetworkChange, Watch};
use crate::gate::Gate;
use crate::grant::{Authority, RequestReach};
use crate::kernel::{Netlink, Netns};
use crate::protocol::{NetworkDocument, OverlayError};
use crate::request::Network;

use super::load::{Loaded, store};
use super::{PluginError, leave, output};

/// Runs `create`.
pub(super) fn run(name: &str, input: &[u8]) -> Result<String, PluginError> {
    let document = NetworkDocument::parse(input)?;
    let network = Network::resolve(document.network())?;
    let (store, name) = store(name)?;
    let loaded = Loaded::find(store, name)?;
    let code = loaded.code()?;
    let deadline = loaded.deadline();
    let trail = loaded.trail("create", &network.name, None)?;
    let kernel = Netlink::open(Netns::current()?, None, deadline)?;
    let authority = Authority {
        grant: loaded.grant.clone(),
        request: reach(&network),
    };
    let gate = Gate::new(
        Box::new(kernel),
        authority,
        None,
        trail,
        loaded.log(),
        loaded.secrets(),
    );
    let json = String::from_utf8_lossy(input).into_owned();
    let limits = loaded.grant.limits();
    let (mut gate, result) = driver::run(&code, gate, limits, Watch::until(deadline), |run| {
        run.create(&network, json)
    });
    let result = result.map_err(PluginError::from);
    let result = result.and_then(|changes| {
        let text = answer(document, changes)?;
        output::check_network(input, &text)?;
        Ok(text)
    });
    let reason = result.as_ref().err().map(ToString::to_string);
    gate.end(reason.as_deref())?;
    leave((gate, code));
    result
}

/// What a network makes reachable.
pub(super) fn reach(network: &Network) -> RequestReach {
    RequestReach {
        parent: network.parent_name().cloned(),
        parent_property: network.parent_property().cloned(),
        vrf: network.vrf.clone(),
        subnets: network.subnets.iter().map(|subnet| subnet.subnet).collect(),
        ..RequestReach::default()
    }
}

/// The network as the driver wants it.
pub(super) fn answer(
    mut document: NetworkDocument,
    changes: Vec<NetworkChange>,
) -> Result<String, PluginError> {
    for change in changes {
        lay_over(&mut document, change)?;
    }
    Ok(document.into_json()?)
}

fn lay_over(document: &mut NetworkDocument, change: NetworkChange) -> Result<(), OverlayError> {
    match change {
        NetworkChange::NetworkInterface(name) => document.set("network_interface", &name),
        NetworkChange::DnsEnabled(on) => document.set("dns_enabled", &on),
        NetworkChange::IpamDriver(driver) => {
            document.set_key("ipam_options", "driver".to_owned(), Some(driver))
        }
        NetworkChange::SetOption(option) => {
            document.set_key("options", option.key, Some(option.value))
        }
        NetworkChange::RemoveOption(key) => document.set_key("options", key, None),
        NetworkChange::MergePatch(patch) => document.merge(&patch),
    }
}
