//! Source routing, for containers on several networks. The network's routes apply only
//! to packets from the container's addresses on it. This is like CNI's plugin sbr.

use core::net::IpAddr;

use crate::addresses::{self, AddressOptions};
use crate::links::{self, Link};
use crate::routes::{self, RouteOptions};
use crate::rules::{self, Rule, RuleInfo};
use crate::types::RequestOption;
use crate::types::{Error, IpVersion, Namespace, Request, Route, RouteKind};
use crate::{Dad, PLAIN_ROUTE, add_routes, alone, is_v6, parse, parse_bool};

/// The first table that is chosen, as in CNI.
const FIRST_TABLE: u32 = 100;

/// The tables to which the kernel gives a meaning.
const KERNEL_TABLES: &[u32] = &[0, 253, 254, 255];

/// The priority right before the main table's rule.
const BEFORE_MAIN: u32 = 32765;

/// The parsed options of source routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SourceRouting {
    /// The table, or `None` for the first unused one.
    table: Option<u32>,
}

impl SourceRouting {
    pub(super) fn parse(options: &[RequestOption]) -> Result<Option<Self>, Error> {
        let table: Option<u32> = parse(options, "source_table")?;
        match (parse_bool(options, "source_routing", false)?, table) {
            (false, None) => Ok(None),
            (false, Some(_)) => Err(Error::Invalid(
                "source_table needs source_routing=true".to_owned(),
            )),
            (true, Some(table)) if KERNEL_TABLES.contains(&table) => Err(Error::Invalid(format!(
                "source_table {table} is not possible: the kernel has it for all packets"
            ))),
            (true, table) => Ok(Some(Self { table })),
        }
    }

    /// Gives the container's link its addresses, sets it up, and adds its routes to a
    /// table of their own.
    pub(super) fn configure(
        self,
        link: &Link,
        request: &Request,
        metric: Option<u32>,
        dad: Dad,
    ) -> Result<(), Error> {
        for address in &request.addresses {
            let options = AddressOptions {
                no_prefix_route: true,
                ..dad.address_options()
            };
            addresses::add(link, address, Some(options))?;
        }
        // A route needs a link that is up.
        links::set_up(link)?;
        let options = RouteOptions {
            table: Some(self.add_rules(request)?),
            ..PLAIN_ROUTE
        };
        for address in &request.addresses {
            add_direct_route(address, request, &options)?;
        }
        add_routes(request, metric, Some(&options))
    }

    /// Adds rules that route packets from the container's addresses by a table, and
    /// returns the table.
    pub(super) fn add_rules(self, request: &Request) -> Result<u32, Error> {
        let there = rules::list(Namespace::Container)?;
        let table = match self.table {
            Some(table) => table,
            None => free_table(&there)?,
        };
        let mut priorities =
            [IpVersion::Ipv4, IpVersion::Ipv6].map(|it| priority_before(&there, it));
        for address in &request.addresses {
            let [v4, v6] = &mut priorities;
            let priority = if is_v6(address) { v6 } else { v4 };
            let rule = Rule {
                version: None,
                source: Some(alone(address)),
                destination: None,
                incoming_link: None,
                outgoing_link: None,
                mark: None,
                priority: *priority,
                table,
            };
            rules::add(Namespace::Container, &rule)?;
            *priority = priority.saturating_sub(1);
        }
        Ok(table)
    }
}

/// Returns the first table that no rule uses and that has no routes.
fn free_table(rules: &[RuleInfo]) -> Result<u32, Error> {
    let mut table = FIRST_TABLE;
    loop {
        let has_rule = rules.iter().any(|info| info.rule.table == table);
        if !has_rule
            && !KERNEL_TABLES.contains(&table)
            && routes::list(Namespace::Container, Some(table))?.is_empty()
        {
            return Ok(table);
        }
        table += 1;
    }
}

/// Returns the priority that the kernel would give a rule without one. Such a rule
/// comes second, after the rule of the table `local`.
fn priority_before(rules: &[RuleInfo], version: IpVersion) -> u32 {
    let mut of_version = rules.iter().filter(|it| it.rule.version == Some(version));
    let second = of_version.nth(1).map(|info| info.rule.priority);
    second.map_or(BEFORE_MAIN, |second| second.saturating_sub(1))
}

/// Adds the route through the link to the network of an address.
fn add_direct_route(address: &str, request: &Request, options: &RouteOptions) -> Result<(), Error> {
    let Some(destination) = network(address) else {
        return Ok(());
    };
    let route = Route {
        // These are the metrics of the kernel's own prefix routes.
        metric: Some(if is_v6(&destination) { 256 } else { 0 }),
        destination,
        gateway: None,
        kind: RouteKind::Unicast,
    };
    let options = RouteOptions {
        link: Some(request.interface_name.clone()),
        ..options.clone()
    };
    routes::add(Namespace::Container, &route, Some(&options))
}

/// Returns the network of an address with a prefix length, or `None` if it contains
/// only the address.
fn network(address: &str) -> Option<String> {
    let (address, length) = address.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
            let first = core::net::Ipv4Addr::from(u32::from(address) & mask);
            (length < 32).then(|| format!("{first}/{length}"))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
            let first = core::net::Ipv6Addr::from(u128::from(address) & mask);
            (length < 128).then(|| format!("{first}/{length}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(version: IpVersion, priority: u32, table: u32) -> RuleInfo {
        RuleInfo {
            rule: Rule {
                version: Some(version),
                source: None,
                destination: None,
                incoming_link: None,
                outgoing_link: None,
                mark: None,
                priority,
                table,
            },
            protocol: 2,
        }
    }

    #[test]
    fn a_rule_goes_before_all_but_the_first() {
        use IpVersion::{Ipv4, Ipv6};
        let mut rules = vec![rule(Ipv4, 0, 255), rule(Ipv4, 32766, 254)];
        assert_eq!(priority_before(&rules, Ipv4), 32765);
        assert_eq!(priority_before(&rules, Ipv6), 32765);
        rules.insert(1, rule(Ipv4, 100, 7));
        assert_eq!(priority_before(&rules, Ipv4), 99);
    }

    #[test]
    fn the_network_of_an_address_is_cut_to_its_prefix() {
        let networks = [
            ("10.88.7.9/16", Some("10.88.0.0/16")),
            ("10.88.7.9/32", None),
            ("10.88.7.9/0", Some("0.0.0.0/0")),
            ("fd88::7:9/64", Some("fd88::/64")),
            ("fd88::7/128", None),
            ("x/3", None),
        ];
        for (address, expected) in networks {
            assert_eq!(network(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn only_free_tables_are_given() {
        let parse = |pairs: &[(&str, &str)]| {
            let option = |(key, value): &(&str, &str)| RequestOption {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
                origin: crate::types::OptionOrigin::Network,
            };
            SourceRouting::parse(&pairs.iter().map(option).collect::<Vec<_>>())
        };
        assert_eq!(parse(&[]).unwrap(), None);
        let on = ("source_routing", "true");
        assert_eq!(parse(&[on]).unwrap().unwrap().table, None);
        let both = parse(&[on, ("source_table", "7")]).unwrap().unwrap();
        assert_eq!(both.table, Some(7));
        assert!(parse(&[("source_table", "7")]).is_err());
        assert!(parse(&[on, ("source_table", "254")]).is_err());
    }
}
