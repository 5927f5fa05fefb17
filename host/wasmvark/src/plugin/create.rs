//! `create`: the driver checks a new network, and returns the changes that it wants in
//! the network's document.
//!
//! The host keeps the user's document, so that no later run takes the driver's word for
//! the user's.

use engine::driver::{self, NetworkChange, Watch};
use engine::gate::Gate;
use engine::session::{Create, Driver, Session};
use journal::Here;
use kernel::{Netlink, Netns};
use policy::RequestReach;
use request::protocol::{DocumentChange, NetworkDocument, OverlayError, Received, Subnet};
use request::{Declared, Given, KeptNetwork, Network, RequestError, normal_forms};
use types::LinkName;
use types::NetworkId;

use super::confinement::{Confinement, Kind};
use super::keeper::Keeper;
use super::load::{Loaded, store};
use super::subnets::Pools;
use super::{PluginError, bridges, differences, leave, output};
use crate::store::KeptNetworks;

/// The number of a network id's digits in the name that the host chooses.
const ID_DIGITS: usize = 12;
/// The number of other names that the host tries if that one is taken.
const OTHER_NAMES: usize = 8;

/// Runs `create`.
pub(super) fn run(name: &str, input: &[u8]) -> Result<String, PluginError> {
    let document = Received::network(input)?;
    let network = Network::resolve(document.document().network())?;
    let (store, name) = store(name)?;
    let loaded = Loaded::find(store, name)?;
    let host = Netns::current()?;
    let here = Here {
        host: host.id(),
        container: None,
    };
    // Compiling starts threads, and a keeper can't be started after that.
    let keeper = Keeper::for_create(&loaded, document.document(), &network, here)?;
    let (code, options) = loaded.code_with_options()?;
    options
        .check(loaded.name.as_str(), Given::Network, &network.options)
        .map_err(RequestError::from)?;
    // The wait for other runs doesn't count.
    let pools = Pools::new(loaded.store.layout(), &network, &loaded.grant);
    let watch = Watch::begin(loaded.grant.limits());
    let trail = loaded.trail(loaded.subject("create", &network.name, None), &keeper)?;
    let kernel = Netlink::open(host, None)?;
    let mut reach = reach(&network);
    if bridges::makes_bridges(&loaded.grant) {
        reach.bridge_of = bridges::wanted(&loaded.store, &network);
    }
    let confinement = Confinement {
        loaded: &loaded,
        kind: Kind::Create,
        secrets: Vec::new(),
        container: None,
        code,
    };
    let driver = Driver {
        pools: Some(Box::new(pools)),
        ..loaded.driver(confinement.load(), reach, loaded.secrets())
    };
    let networks = KeptNetworks::new(loaded.store.layout());
    let others = networks.ids();
    let ended = Session::<Create>::open(Box::new(kernel), trail, watch)
        .run(driver, |run| run.create(&network, document.text()))
        .answer(|gate, changes| {
            let rules = Rules {
                driver: loaded.name.as_str(),
                options: &options,
                others: &others,
            };
            let created = change(gate, &document, &network, changes, &rules)?;
            output::check_network(input, &created.json)?;
            keeper.keep_network(&network, created.kept)?;
            Ok(created.json)
        })
        .end();
    leave((ended.rollback, keeper));
    ended.result
}

/// Returns the reach of a network: the objects that its document names.
pub(super) fn reach(network: &Network) -> RequestReach {
    RequestReach {
        parent: network.parent_name().cloned(),
        parent_property: network.parent_property().cloned(),
        vrf: network.vrf.clone(),
        network: network.id.to_string(),
        subnets: network.subnets.iter().map(|subnet| subnet.subnet).collect(),
        ..RequestReach::default()
    }
}

/// What the answer to `create` is judged by, beside the grant.
pub(super) struct Rules<'a> {
    /// The driver's name.
    pub(super) driver: &'a str,
    /// The options that the driver declares.
    pub(super) options: &'a Declared,
    /// The ids of the other networks.
    pub(super) others: &'a [NetworkId],
}

/// The result of `create`.
pub(super) struct Created {
    /// The document for the caller.
    pub(super) json: String,
    /// The user's document, which is kept.
    pub(super) kept: KeptNetwork,
}

/// Applies the driver's changes to the network's document, if the grant allows their
/// effects. Each change is recorded in the audit trail.
pub(super) fn change(
    gate: &mut Gate,
    received: &Received<NetworkDocument>,
    network: &Network,
    wanted: Vec<NetworkChange>,
    rules: &Rules<'_>,
) -> Result<Created, PluginError> {
    let mut document = received.document().clone();
    let mut chosen = None;
    let wanted = typed(wanted)?;
    driver::check_changes_made(wanted.len())?;
    let mut users = document.network().clone();
    users.subnets.extend(allocated(gate));
    let subnets = DocumentChange::Subnets(users.subnets.clone());
    let subnets = (!gate.allocated_subnets().is_empty()).then_some(subnets);
    for mut change in host_changes(network, rules.options)?
        .into_iter()
        .chain(subnets)
        .chain(wanted)
    {
        if network.parent.is_none()
            && let DocumentChange::NetworkInterface(Some(name)) = &mut change
        {
            chosen = choose_name(gate, name, &network.id, rules.others)?;
            if let Some(chosen) = &chosen {
                *name = chosen.to_string();
            }
        }
        gate.record_change(&change.to_string())?;
        document.apply(&change)?;
    }
    let user = KeptNetwork {
        network: users,
        chosen,
    };
    let changed = document.changed()?;
    rules
        .options
        .check(rules.driver, Given::Driver, &changed.options)
        .map_err(RequestError::from)?;
    differences::decide(gate, &user, &changed)?;
    Ok(Created {
        json: document.json()?,
        kept: user.shortened(),
    })
}

/// Returns the subnets that the host has allocated.
fn allocated(gate: &Gate) -> impl Iterator<Item = Subnet> {
    let allocated = gate.allocated_subnets().iter();
    allocated.map(|allocated| Subnet {
        subnet: allocated.subnet,
        gateway: allocated.gateway,
        lease_range: None,
    })
}

/// The changes that the host makes for every driver: the normal forms of the options
/// that it parses itself, and of those that the driver declares.
fn host_changes(
    network: &Network,
    options: &Declared,
) -> Result<Vec<DocumentChange>, RequestError> {
    let forms = normal_forms(&network.options)?.into_iter();
    let forms = forms.map(|(key, value)| (key.to_owned(), value));
    let declared = options.normal_forms(&network.options);
    let change = |(key, value)| DocumentChange::Option(key, Some(value));
    Ok(forms.chain(declared).map(change).collect())
}

fn typed(wanted: Vec<NetworkChange>) -> Result<Vec<DocumentChange>, OverlayError> {
    let mut changes = Vec::new();
    for change in wanted {
        match change {
            NetworkChange::NetworkInterface(name) => {
                changes.push(DocumentChange::NetworkInterface(Some(name)));
            }
            NetworkChange::DnsEnabled(on) => changes.push(DocumentChange::DnsEnabled(on)),
            NetworkChange::IpamDriver(driver) => {
                changes.push(DocumentChange::IpamDriver(Some(driver)));
            }
            NetworkChange::SetOption(option) => {
                changes.push(DocumentChange::Option(option.key, Some(option.value)));
            }
            NetworkChange::RemoveOption(key) => changes.push(DocumentChange::Option(key, None)),
            NetworkChange::MergePatch(patch) => changes.extend(DocumentChange::of_patch(&patch)?),
        }
    }
    Ok(changes)
}

/// Returns a free name for the network's own bridge or VRF, if the host chooses it. It
/// does so if the driver's name is empty. The name that it would try first also counts
/// as its choice, unless a link has that name.
fn choose_name(
    gate: &mut Gate,
    wanted: &str,
    id: &NetworkId,
    others: &[NetworkId],
) -> Result<Option<LinkName>, PluginError> {
    let digits = digits(id);
    let is_taken = others
        .iter()
        .any(|other| other != id && other.as_str().starts_with(&digits));
    let first = first_name(id).filter(|_| !is_taken);
    if wanted.is_empty() {
        let name = gate.free_name(first.into_iter().chain(other_names(id)))?;
        return name.map(Some).ok_or(PluginError::NoFreeName);
    }
    let first = first.filter(|first| first.as_str() == wanted);
    Ok(gate.free_name(first)?)
}

/// Returns the names that the host may choose for a network's own bridge or VRF.
pub(super) fn host_names(id: &NetworkId) -> impl Iterator<Item = LinkName> {
    first_name(id).into_iter().chain(other_names(id))
}

fn digits(id: &NetworkId) -> String {
    id.as_str().chars().take(ID_DIGITS).collect()
}

fn first_name(id: &NetworkId) -> Option<LinkName> {
    format!("wv-{}", digits(id)).parse().ok()
}

fn other_names(id: &NetworkId) -> impl Iterator<Item = LinkName> {
    (0..OTHER_NAMES).map(|number| LinkName::chosen("bridge", &[id.as_str(), &number.to_string()]))
}
