//! Where packets to an address would leave, by the rules and the routes of a
//! namespace: what the kernel asks itself about the gateway of a new route.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use kernel::{FoundRoute, KernelError, LinkId, MAIN_TABLE, RouteScope};
use nix::errno::Errno;
use types::{IpVersion, LinkName, Namespace, RouteKind, Rule};

use super::link::LOOPBACK_INDEX;
use super::machine::Machine;

/// RT_TABLE_LOCAL (`rtnetlink.h`)
pub(super) const LOCAL_TABLE: u32 = 255;

/// What stands behind an IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// One of the namespace's own.
    Local(u32),
    /// All neighbours of a link.
    Broadcast(u32),
    /// Somebody else.
    Other(u32),
}

/// A next hop whose way is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop {
    pub(super) gateway: Option<IpAddr>,
    pub(super) link: Option<u32>,
    pub(super) on_link: bool,
}

impl Machine {
    /// The link of an IPv4 route's next hop (`fib_check_nh`).
    pub(super) fn check_hop4(
        &mut self,
        namespace: Namespace,
        (table, scope): (u32, RouteScope),
        hop: Hop,
    ) -> Result<u32, KernelError> {
        let gateway = match hop.gateway {
            Some(IpAddr::V4(gateway)) if !gateway.is_unspecified() => gateway,
            _ if hop.on_link => return Err(Errno::EINVAL.into()),
            _ => return self.usable4(namespace, hop.link),
        };
        if hop.on_link {
            if scope != RouteScope::Global {
                return Err(Errno::EINVAL.into());
            }
            let index = hop.link.unwrap_or_default();
            self.check_up(namespace, index)?;
            let is_own =
                |behind| matches!(behind, Behind::Local(on) | Behind::Broadcast(on) if on == index);
            let behind = self.local4(namespace, gateway, RouteScope::Global, None);
            // `__inet_dev_addr_type`
            if !self.room_ref(namespace).has_local_table {
                return Err(Errno::EINVAL.into());
            }
            return match is_no_host(gateway) || behind.is_some_and(is_own) {
                true => Err(Errno::EINVAL.into()),
                false => Ok(index),
            };
        }
        // What is on the link itself, or only in this namespace.
        let least = match scope {
            RouteScope::Global => RouteScope::Link,
            _ => RouteScope::Host,
        };
        let mut found = None;
        if table != MAIN_TABLE {
            found = self
                .in_table4(namespace, table, gateway, least, hop.link)
                .ok();
        }
        let found = match found.flatten() {
            Some(found) => found,
            None => self.by_rules4(namespace, gateway, least, hop.link)?,
        };
        match found {
            Behind::Broadcast(_) => Err(Errno::EINVAL.into()),
            Behind::Local(index) | Behind::Other(index) => {
                self.check_up(namespace, index)?;
                Ok(index)
            }
        }
    }

    /// A link that has IPv4 and is up (`fib_check_nh_nongw`).
    fn usable4(&self, namespace: Namespace, link: Option<u32>) -> Result<u32, KernelError> {
        let index = link.unwrap_or_default();
        let (_, link) = self.find(LinkId { namespace, index })?;
        if !link.has_ipv4() {
            return Err(Errno::ENODEV.into());
        }
        self.check_up(namespace, index)?;
        Ok(index)
    }

    pub(super) fn check_up(&self, namespace: Namespace, index: u32) -> Result<(), KernelError> {
        match self.find(LinkId { namespace, index })?.1.state.up {
            true => Ok(()),
            false => Err(Errno::ENETDOWN.into()),
        }
    }

    /// `fib_lookup`
    fn by_rules4(
        &mut self,
        namespace: Namespace,
        to: Ipv4Addr,
        least: RouteScope,
        link: Option<u32>,
    ) -> Result<Behind, KernelError> {
        let rules = self.rules(namespace)?.into_iter().map(|found| found.rule);
        for rule in rules.filter(|rule| rule.version == IpVersion::Ipv4) {
            let is_from = |network: IpNet| network.contains(&IpAddr::from(Ipv4Addr::UNSPECIFIED));
            if !self.applies(namespace, &rule, to.into(), link) || !rule.source.is_none_or(is_from)
            {
                continue;
            }
            if let Some(found) = self.in_table4(namespace, rule.table, to, least, link)? {
                return Ok(found);
            }
        }
        Err(Errno::ENETUNREACH.into())
    }

    /// Whether a rule is for packets that start here, which come in by the loopback
    /// link, without a mark, whatever their source (`fib_rule_match`).
    pub(super) fn applies(
        &self,
        namespace: Namespace,
        rule: &Rule,
        to: IpAddr,
        link: Option<u32>,
    ) -> bool {
        let is = |name: &LinkName, index| {
            let named = self.by_name(namespace, name);
            named.is_some_and(|link| Some(link.at.index) == index)
        };
        rule.destination.is_none_or(|network| network.contains(&to))
            && rule
                .incoming
                .as_ref()
                .is_none_or(|name| is(name, Some(LOOPBACK_INDEX)))
            && rule.outgoing.as_ref().is_none_or(|name| is(name, link))
            && rule.mark.is_none_or(|mark| mark.value & mark.mask == 0)
    }

    /// `fib_table_lookup`
    fn in_table4(
        &self,
        namespace: Namespace,
        table: u32,
        to: Ipv4Addr,
        least: RouteScope,
        link: Option<u32>,
    ) -> Result<Option<Behind>, Errno> {
        if table == LOCAL_TABLE {
            return Ok(self.local4(namespace, to, least, link));
        }
        let to = IpAddr::from(to);
        let routes = self.room_ref(namespace).routes.iter().filter(|found| {
            let scope = found.route.effective_scope();
            found.route.table == table
                && found.route.route.destination.contains(&to)
                && rank(scope) >= rank(least)
        });
        let mut routes: Vec<&FoundRoute> = routes.collect();
        routes.sort_by_key(|found| {
            let route = &found.route.route;
            (u8::MAX - route.destination.prefix_len(), route.metric)
        });
        for found in routes {
            match found.route.route.kind {
                RouteKind::Unicast => {}
                RouteKind::Blackhole => return Err(Errno::EINVAL),
                RouteKind::Unreachable => return Err(Errno::EHOSTUNREACH),
                RouteKind::Prohibit => return Err(Errno::EACCES),
            }
            let hops = found.route.by_next_hop();
            let mut hops = hops.iter().filter_map(|hop| hop.link);
            let is_good = |index: &u32| {
                let is_alive = found.route.scope == Some(RouteScope::Host)
                    || self.check_up(namespace, *index).is_ok();
                is_alive && link.is_none_or(|link| link == *index)
            };
            if let Some(index) = hops.find(is_good) {
                return Ok(Some(Behind::Other(index)));
            }
        }
        Ok(None)
    }

    /// What the table of local addresses has: it isn't kept, since all of it
    /// comes of the addresses of links (`fib_add_ifaddr`).
    pub(super) fn local4(
        &self,
        namespace: Namespace,
        to: Ipv4Addr,
        least: RouteScope,
        only: Option<u32>,
    ) -> Option<Behind> {
        let mut best: Option<(u8, bool, Behind)> = None;
        for link in self.links_of(namespace) {
            let index = link.at.index;
            if only.is_some_and(|only| only != index) {
                continue;
            }
            let is_loopback = link.is_loopback();
            for address in &link.addresses {
                let IpNet::V4(own) = address.new.address else {
                    continue;
                };
                let is_whole = is_loopback && address.has_network && own.contains(&to);
                let is_broadcast = link.state.up
                    && own.broadcast() == to
                    && !own.broadcast().is_broadcast()
                    && least != RouteScope::Host;
                let found = match () {
                    () if own.addr() == to => (32, true, Behind::Local(index)),
                    () if is_broadcast => (32, false, Behind::Broadcast(index)),
                    () if is_whole => (own.prefix_len(), true, Behind::Local(index)),
                    () => continue,
                };
                if best.is_none_or(|best| (found.0, found.1) > (best.0, best.1)) {
                    best = Some(found);
                }
            }
        }
        best.map(|(.., behind)| behind)
    }

    /// Whether packets may have an IPv4 address as their source
    /// (`fib_valid_prefsrc`).
    pub(super) fn is_own4(&self, namespace: Namespace, source: Ipv4Addr) -> bool {
        let behind = self.local4(namespace, source, RouteScope::Global, None);
        !is_no_host(source) && matches!(behind, Some(Behind::Local(_)))
    }
}

/// Whether no host has such an address (`__inet_dev_addr_type`).
pub(super) fn is_no_host(address: Ipv4Addr) -> bool {
    address.octets()[0] == 0 || address.is_broadcast() || address.is_multicast()
}

/// The number of a scope (`rtnetlink.h`).
fn rank(scope: RouteScope) -> u8 {
    match scope {
        RouteScope::Global => 0,
        RouteScope::Link => 253,
        RouteScope::Host => 254,
    }
}
