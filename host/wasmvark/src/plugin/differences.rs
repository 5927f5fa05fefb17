//! The differences between the user's network and the changed one that reach an object.
//! Such a difference is the driver's word, so the grant must allow it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine::gate::Gate;
use ipnet::IpNet;
use policy::{Call, Object};
use request::protocol::{self, Subnet};
use request::{KeptNetwork, Network, Parent, all_routes, names_outbound, names_secret};
use types::{LinkName, Namespace};

use super::PluginError;

/// Decides on all differences between a user's network and the changed one.
pub(super) fn decide(
    gate: &mut Gate,
    user: &KeptNetwork,
    changed: &protocol::Network,
) -> Result<(), PluginError> {
    let before = Network::resolve(&user.network)?;
    let after = Network::resolve(changed)?;
    decide_parent(gate, user, &before, &after)?;
    decide_vrfs(gate, &before, &after)?;
    decide_options(gate, &before.options, &after.options)?;
    let subnets = new_ones(&reach_of(&before.subnets), &reach_of(&after.subnets));
    decide_each(gate, Call::CreateSubnets, &subnets, |subnet| {
        Object::Subnet(*subnet)
    })?;
    let routes = new_ones(
        &all_routes(&user.network.routes)?,
        &all_routes(&changed.routes)?,
    );
    decide_each(gate, Call::CreateRoutes, &routes, |route| Object::Route {
        namespace: Namespace::Container,
        route,
        through_own_link: false,
        own: false,
    })?;
    let servers = new_ones(&before.name_servers, &after.name_servers);
    decide_each(gate, Call::CreateNameServers, &servers, |server| {
        Object::NameServer(*server)
    })
}

fn decide_parent(
    gate: &mut Gate,
    user: &KeptNetwork,
    before: &Network,
    after: &Network,
) -> Result<(), PluginError> {
    if let Some(name) = other_parent_option(before, after) {
        let link: Option<LinkName> = name.parse().ok();
        let objects: Vec<_> = link.as_ref().map(host_link).into_iter().collect();
        gate.allow_returned(Call::CreateParent, &objects)?;
    }
    let is_chosen = before.parent.is_none() && after.parent_name() == user.chosen.as_ref();
    if before.parent == after.parent || (is_chosen && user.chosen.is_some()) {
        return Ok(());
    }
    // Removing the user's parent needs the same reach as adding one.
    let parents = after.parent.iter().chain(&before.parent).take(1);
    let parents: Vec<&Parent> = parents.collect();
    decide_each(gate, Call::CreateParent, &parents, |parent| match parent {
        Parent::Name(name) => host_link(name),
        Parent::With(property) => Object::LinkWith {
            namespace: Namespace::Host,
            property,
            own: false,
        },
    })
}

/// Returns the option `parent` if it is new and names another link than the user did.
/// It counts even if the network's interface takes precedence over it.
fn other_parent_option<'a>(before: &Network, after: &'a Network) -> Option<&'a str> {
    let option = after
        .options
        .get("parent")
        .filter(|name| !name.is_empty())?;
    let is_users = before.options.get("parent") == Some(option)
        || before
            .parent_name()
            .is_some_and(|name| name.as_str() == option);
    (!is_users).then_some(option.as_str())
}

fn decide_vrfs(gate: &mut Gate, before: &Network, after: &Network) -> Result<(), PluginError> {
    let vrfs = new_ones(before.vrf.as_slice(), after.vrf.as_slice());
    decide_each(gate, Call::CreateVrf, &vrfs, host_link)?;
    let vrfs = new_ones(
        before.container_vrf.as_slice(),
        after.container_vrf.as_slice(),
    );
    decide_each(gate, Call::CreateVrf, &vrfs, |name| Object::Link {
        namespace: Namespace::Container,
        name,
        own: false,
    })
}

/// Decides on the options whose values name objects.
fn decide_options(
    gate: &mut Gate,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Result<(), PluginError> {
    for (key, value) in new_options(before, after) {
        if names_secret(key) {
            gate.allow_returned(Call::CreateSecret, &[Object::Secret(value)])?;
        }
        if names_outbound(key) {
            let address: Option<IpAddr> = value.parse().ok();
            let objects: Vec<_> = address.map(Object::Outbound).into_iter().collect();
            gate.allow_returned(Call::CreateOutboundAddress, &objects)?;
        }
        if key == "host_interface_name" {
            let name: Option<LinkName> = value.parse().ok();
            let objects: Vec<_> = name.as_ref().map(host_link).into_iter().collect();
            gate.allow_returned(Call::CreateHostInterfaceName, &objects)?;
        }
    }
    Ok(())
}

/// Returns the options that were set or changed with their new values, and the removed
/// ones with their old values.
fn new_options<'a>(
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
) -> Vec<(&'a str, &'a str)> {
    let set = after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(*value));
    let removed = before.iter().filter(|(key, _)| !after.contains_key(*key));
    let all = set.chain(removed);
    all.map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

fn host_link(name: &LinkName) -> Object<'_> {
    Object::Link {
        namespace: Namespace::Host,
        name,
        own: false,
    }
}

/// Returns the subnets, and each gateway as a network of one address.
fn reach_of(subnets: &[Subnet]) -> Vec<IpNet> {
    let both = |subnet: &Subnet| [Some(subnet.subnet), subnet.gateway.map(IpNet::from)];
    subnets.iter().flat_map(both).flatten().collect()
}

/// Returns the added values, or the removed ones if none was added.
fn new_ones<T: PartialEq + Clone>(before: &[T], after: &[T]) -> Vec<T> {
    let added = after.iter().filter(|it| !before.contains(it));
    let added: Vec<T> = added.cloned().collect();
    if !added.is_empty() {
        return added;
    }
    let gone = before.iter().filter(|it| !after.contains(it));
    gone.cloned().collect()
}

fn decide_each<'a, T>(
    gate: &mut Gate,
    call: Call,
    values: &'a [T],
    object: impl Fn(&'a T) -> Object<'a>,
) -> Result<(), PluginError> {
    if values.is_empty() {
        return Ok(());
    }
    let objects: Vec<Object<'_>> = values.iter().map(object).collect();
    Ok(gate.allow_returned(call, &objects)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_counts_or_else_what_is_gone() {
        assert_eq!(new_ones(&[1, 2], &[2, 3]), [3]);
        assert_eq!(new_ones(&[1, 2], &[2]), [1]);
        assert!(new_ones(&[1, 2], &[2, 1]).is_empty());
    }

    #[test]
    fn options_that_were_set_changed_or_removed_are_new() {
        let options = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let before = options(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = options(&[("a", "1"), ("b", "9"), ("d", "4")]);
        assert_eq!(
            new_options(&before, &after),
            [("b", "9"), ("d", "4"), ("c", "3")]
        );
    }
}
