//! The same for IPv6.

use std::net::{IpAddr, Ipv6Addr};

use kernel::{FoundRoute, KernelError, LinkId, MAIN_TABLE};
use nix::errno::Errno;
use types::{IpVersion, Namespace, RouteKind};

use super::lookup::{Hop, LOCAL_TABLE};
use super::machine::Machine;

impl Machine {
    /// The link of an IPv6 route's next hop (`fib6_nh_init`).
    pub(super) fn check_hop6(
        &mut self,
        namespace: Namespace,
        table: u32,
        hop: Hop,
    ) -> Result<u32, KernelError> {
        if let Some(index) = hop.link {
            let (_, link) = self.find(LinkId { namespace, index })?;
            if !link.has_ipv6() {
                return Err(Errno::ENODEV.into());
            }
        }
        if hop.on_link {
            self.check_up(namespace, hop.link.unwrap_or_default())?;
        }
        let link = match hop.gateway {
            Some(IpAddr::V6(gateway)) => Some(self.check_gateway6(namespace, table, gateway, hop)?),
            _ => hop.link,
        };
        let index = link.ok_or(Errno::ENODEV)?;
        let (number, _) = self.find(LinkId { namespace, index })?;
        if !self.may_have_ipv6(number)? {
            return Err(Errno::EACCES.into());
        }
        self.check_up(namespace, index)?;
        Ok(index)
    }

    /// `ip6_validate_gw`
    fn check_gateway6(
        &mut self,
        namespace: Namespace,
        table: u32,
        gateway: Ipv6Addr,
        hop: Hop,
    ) -> Result<u32, KernelError> {
        let is_link_local = gateway.is_unicast_link_local();
        if hop.link.is_some() && self.is_own6(namespace, gateway, hop.link) {
            return Err(Errno::EINVAL.into());
        }
        let link = match is_link_local {
            true => hop.link,
            false if gateway.is_unspecified() || gateway.is_multicast() => {
                return Err(Errno::EINVAL.into());
            }
            false if hop.on_link => {
                self.check_on_link6(namespace, gateway, hop.link)?;
                hop.link
            }
            false => Some(self.find_gateway6(namespace, table, gateway, hop.link)?),
        };
        let index = link.ok_or(Errno::EINVAL)?;
        let is_loopback = self.find(LinkId { namespace, index })?.1.is_loopback();
        if is_loopback || self.is_own6(namespace, gateway, Some(index)) {
            return Err(Errno::EINVAL.into());
        }
        Ok(index)
    }

    /// Whether an address is the namespace's own; one of a link only on that link.
    pub(super) fn is_own6(
        &self,
        namespace: Namespace,
        address: Ipv6Addr,
        link: Option<u32>,
    ) -> bool {
        let is_of_link = address.is_unicast_link_local() || address.is_loopback();
        let mut links = self.links_of(namespace).into_iter();
        links.any(|own| {
            let mut addresses = own.addresses.iter();
            let has = addresses.any(|it| it.new.address.addr() == IpAddr::from(address));
            has && (!is_of_link || link == Some(own.at.index))
        })
    }

    /// `ip6_route_check_nh_onlink`
    fn check_on_link6(
        &mut self,
        namespace: Namespace,
        gateway: Ipv6Addr,
        link: Option<u32>,
    ) -> Result<(), KernelError> {
        let found = self.in_table6(namespace, MAIN_TABLE, gateway, link, false);
        let is_other = |found: &Way6| {
            !found.is_reject && !found.is_default && (!found.is_unicast || found.link != link)
        };
        match found.is_some_and(|found| is_other(&found)) {
            true => Err(Errno::EINVAL.into()),
            false => Ok(()),
        }
    }

    /// `ip6_route_check_nh`
    fn find_gateway6(
        &mut self,
        namespace: Namespace,
        table: u32,
        gateway: Ipv6Addr,
        link: Option<u32>,
    ) -> Result<u32, KernelError> {
        let leads = |found: &Way6| {
            !found.is_reject
                && !found.has_gateway
                && found.link.is_some()
                && (link.is_none() || found.link == link)
        };
        let found = self.in_table6(namespace, table, gateway, link, true);
        if let Some(index) = found.filter(leads).and_then(|found| found.link) {
            return Ok(index);
        }
        let rules = self.rules(namespace)?.into_iter().map(|found| found.rule);
        for rule in rules.filter(|rule| rule.version == IpVersion::Ipv6) {
            // `fib6_rule_match`: there is no source.
            if rule.source.is_some() || !self.applies(namespace, &rule, gateway.into(), link) {
                continue;
            }
            if let Some(found) = self.in_table6(namespace, rule.table, gateway, link, true) {
                let index = Some(found).filter(leads).and_then(|found| found.link);
                return Ok(index.ok_or(Errno::EHOSTUNREACH)?);
            }
        }
        Err(Errno::EHOSTUNREACH.into())
    }

    /// `fib6_table_lookup`: of the routes with the longest prefix the first that
    /// leaves through the link, or else through any, unless it must be that one.
    fn in_table6(
        &self,
        namespace: Namespace,
        table: u32,
        to: Ipv6Addr,
        link: Option<u32>,
        is_strict: bool,
    ) -> Option<Way6> {
        let mut ways = match table {
            LOCAL_TABLE => self.local6(namespace, to),
            _ => self.ways6(namespace, table, to),
        };
        ways.sort_by_key(|(length, metric, _)| (u8::MAX - length, *metric));
        let mut lengths: Vec<u8> = ways.iter().map(|(length, ..)| *length).collect();
        lengths.dedup();
        lengths.into_iter().find_map(|length| {
            let node = ways.iter().filter(|way| way.0 == length);
            let node = node.map(|(.., way)| *way);
            let fits = |way: &Way6| link.is_none() || way.link == link;
            let other = node.clone().find(|_| !is_strict);
            node.clone().find(fits).or(other)
        })
    }

    fn ways6(&self, namespace: Namespace, table: u32, to: Ipv6Addr) -> Vec<(u8, u32, Way6)> {
        let loopback = self.links_of(namespace).into_iter();
        let loopback = loopback.filter(|link| link.is_loopback());
        let loopback = loopback.map(|link| link.at.index).next();
        let routes = self.room_ref(namespace).routes.iter().filter(|found| {
            let route = &found.route;
            route.table == table && route.route.destination.contains(&IpAddr::from(to))
        });
        let way = |found: &FoundRoute| {
            let route = &found.route.route;
            let is_unicast = route.kind == RouteKind::Unicast;
            let link = found.route.link.filter(|_| is_unicast).or(loopback);
            let destination = route.destination;
            Way6 {
                link,
                has_gateway: route.gateway.is_some(),
                // `fib6_is_reject`: what leads to the loopback link leads nowhere.
                is_reject: !is_unicast || (link == loopback && !destination.addr().is_loopback()),
                is_default: destination.addr().is_unspecified(),
                is_unicast,
            }
        };
        let ways = routes.map(|found| {
            let route = &found.route.route;
            let metric = route.metric.unwrap_or_default();
            (route.destination.prefix_len(), metric, way(found))
        });
        ways.collect()
    }

    fn local6(&self, namespace: Namespace, to: Ipv6Addr) -> Vec<(u8, u32, Way6)> {
        let links = self.links_of(namespace).into_iter().filter(|link| {
            let mut own = link.addresses.iter();
            own.any(|own| own.new.address.addr() == IpAddr::from(to))
        });
        let way = |index| Way6 {
            link: Some(index),
            has_gateway: false,
            is_reject: false,
            is_default: false,
            is_unicast: false,
        };
        links.map(|link| (128, 0, way(link.at.index))).collect()
    }
}

/// Where an IPv6 route leads.
#[derive(Debug, Clone, Copy)]
struct Way6 {
    link: Option<u32>,
    has_gateway: bool,
    is_reject: bool,
    is_default: bool,
    is_unicast: bool,
}
