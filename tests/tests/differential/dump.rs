//! What a kernel says of itself, in lines that are the same for the same state.

use std::collections::BTreeMap;

use kernel::{FoundNeighbour, FoundRoute, Kernel, KernelError, LinkId, NeighbourTable, NextHop};
use types::{IpVersion, Mac, Namespace};

use crate::generate::LINK_SETTINGS;
use crate::probe::{Feature, Features};

/// All that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dump {
    /// What is as it is at once.
    pub(crate) lines: Vec<String>,
    /// What the kernel sees to a little later: it looks at carriers four times a
    /// second at most (`linkwatch_schedule_work`).
    pub(crate) late: Vec<String>,
    /// MAC addresses, by whose they are. Chosen ones are only compared in how
    /// they are alike.
    pub(crate) macs: BTreeMap<String, Mac>,
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What takes few questions.
    Short,
    /// Settings too.
    Full,
}

/// Reads both namespaces.
pub(crate) fn of(
    kernel: &mut dyn Kernel,
    depth: Depth,
    features: &Features,
) -> Result<Dump, KernelError> {
    let mut dump = Dump::default();
    for namespace in [Namespace::Host, Namespace::Container] {
        Reading::new(kernel, namespace, features)?.read(depth, &mut dump)?;
    }
    dump.lines.sort();
    Ok(dump)
}

struct Reading<'a> {
    kernel: &'a mut dyn Kernel,
    namespace: Namespace,
    features: &'a Features,
    /// The names of the links of both, by index.
    names: BTreeMap<String, String>,
}

impl<'a> Reading<'a> {
    fn new(
        kernel: &'a mut dyn Kernel,
        namespace: Namespace,
        features: &'a Features,
    ) -> Result<Self, KernelError> {
        let mut names = BTreeMap::new();
        for of in [Namespace::Host, Namespace::Container] {
            for link in kernel.links(of, None)? {
                names.insert(
                    format!("{of} {}", link.index),
                    format!("{of}:{}", link.name),
                );
            }
        }
        Ok(Self {
            kernel,
            namespace,
            features,
            names,
        })
    }

    fn name(&self, namespace: Namespace, index: u32) -> String {
        let name = self.names.get(&format!("{namespace} {index}"));
        name.cloned().unwrap_or_else(|| format!("nobody, {index}"))
    }

    fn own(&self, index: u32) -> String {
        self.name(self.namespace, index)
    }

    fn read(mut self, depth: Depth, dump: &mut Dump) -> Result<(), KernelError> {
        let survey = self.kernel.survey(self.namespace)?;
        for surveyed in &survey.links {
            let state = &surveyed.info.state;
            let name = self.own(state.index);
            for (whose, mac) in [("", state.mac), (" for ever", state.permanent_mac)] {
                if let Some(mac) = mac {
                    dump.macs.insert(format!("{name}{whose}"), mac);
                }
            }
            let tie = surveyed.tie.map(|tie| {
                let far = match (self.namespace, tie.elsewhere) {
                    (Namespace::Host, true) => Namespace::Container,
                    (Namespace::Container, true) => Namespace::Host,
                    (own, false) => own,
                };
                // A link that was made through another namespace than it's in tells
                // its own index.
                match tie.elsewhere && !tie.is_pair && tie.index == state.index {
                    true => (false, format!("{far}: itself")),
                    false => (tie.is_pair, self.name(far, tie.index)),
                }
            });
            dump.lines.push(format!(
                "{name}: kind {:?}, mtu {}, master {:?}, up {}, queue {}, promiscuous {}, \
                 all multicast {}, alias {:?}, filtering {:?}, use {:?}, table {:?}, tie {tie:?}, \
                 has a mac {}",
                surveyed.info.kind,
                state.mtu,
                state.master.map(|master| self.own(master)),
                state.up,
                state.tx_queue_length,
                state.promiscuous,
                state.all_multicast,
                state.alias,
                surveyed.info.vlan_filtering,
                surveyed.info.parent_use,
                surveyed.table,
                state.mac.is_some(),
            ));
            let carrier = surveyed.info.carrier;
            dump.late.push(format!("{name}: carrier {carrier}"));
            self.read_link(state.index, depth, dump)?;
        }
        self.read_routes(&survey.routes, dump);
        for version in IpVersion::ALL {
            self.read_addresses(version, dump)?;
        }
        for (place, found) in self.kernel.rules(self.namespace)?.iter().enumerate() {
            let namespace = self.namespace;
            dump.lines
                .push(format!("{namespace}: rule {place:02} {found:?}"));
        }
        Ok(())
    }

    fn read_addresses(&mut self, version: IpVersion, dump: &mut Dump) -> Result<(), KernelError> {
        for (index, address) in self.kernel.all_addresses(self.namespace, version)? {
            let name = self.own(index);
            // Until duplicate address detection ends an IPv6 address is
            // tentative, which is a matter of time.
            dump.lines.push(format!(
                "{name}: address {}, of the link {}, had by others {}",
                address.address, address.link_scope, address.dad_failed
            ));
        }
        Ok(())
    }

    fn read_link(&mut self, index: u32, depth: Depth, dump: &mut Dump) -> Result<(), KernelError> {
        let at = LinkId {
            namespace: self.namespace,
            index,
        };
        let name = self.own(index);
        let mut say =
            |what: &str, value: String| dump.lines.push(format!("{name}: {what} {value}"));
        let identified = self.kernel.identified(at)?;
        let tie = identified.identity.tie;
        let mut alternative = identified.alternative_names;
        alternative.sort();
        say(
            "known by",
            format!(
                "{:?} {:?} {:?}",
                tie.map(|tie| (tie.place, tie.index > 0)),
                identified.identity.vlan,
                alternative
            ),
        );
        let mut set = self.kernel.neighbours(at)?;
        set.retain(is_set);
        for neighbour in set {
            say("neighbour", format!("{neighbour:?}"));
        }
        say("port", format!("{:?}", self.kernel.port(at).ok()));
        if self.features.has(Feature::FilteringBridge) {
            say("vlans", format!("{:?}", self.kernel.vlans(at)?));
        }
        say("queues", format!("{:?}", self.kernel.queues(at)?));
        let mut classes = self.kernel.htb_classes(at)?;
        classes.sort_unstable();
        say("classes", format!("{classes:?}"));
        if depth == Depth::Full {
            for setting in LINK_SETTINGS {
                let value = self.kernel.link_setting(at, setting);
                let value = value.map_err(|error| error.errno());
                say(&setting.to_string(), format!("{value:?}"));
            }
        }
        Ok(())
    }

    /// Routes to the same destination with the same metric are told in their
    /// order: the first is the one that packets take.
    fn read_routes(&self, routes: &[FoundRoute], dump: &mut Dump) {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for found in routes {
            let route = &found.route;
            let namespace = self.namespace;
            let group = format!(
                "{namespace}: route {} metric {:?} table {}",
                route.route.destination, route.route.metric, route.table
            );
            let place = places.entry(group.clone()).or_default();
            let link = |index: Option<u32>| index.map(|index| self.own(index));
            let hop = |hop: &NextHop| (hop.gateway, link(hop.link), hop.hops, hop.on_link);
            let hops: Vec<_> = route.next_hops.iter().map(hop).collect();
            dump.lines.push(format!(
                "{group} number {place}: {:?} via {:?} on {:?}, on link {}, scope {:?}, from {:?}, \
                 hops {hops:?}, by {}",
                route.route.kind,
                route.route.gateway,
                link(route.link),
                route.on_link,
                route.scope,
                route.source,
                found.protocol
            ));
            *place += 1;
        }
    }
}

/// Whether somebody has set an entry. What the kernel learns from packets is a
/// matter of time.
fn is_set(found: &FoundNeighbour) -> bool {
    found.permanent || found.table == NeighbourTable::Proxies
}
