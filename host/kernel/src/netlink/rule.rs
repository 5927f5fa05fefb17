//! Policy routing rules over rtnetlink.
//!
//! A rule has neither an index nor a key. To remove one, the kernel takes the
//! first rule that has all properties of the request, whatever others that rule
//! has (`rule_find` in `net/core/fib_rules.c`). So the right rule is checked to
//! be that one.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleHeader, RuleMessage};
use nix::errno::Errno;
use rtnetlink::IpVersion as WireVersion;
use types::{IpVersion, LinkName, Mark, Namespace, Rule};

use super::snapshot::{bytes, parse, unless_existing};
use super::{Netlink, family};
use crate::{FoundRule, KernelError, Rules, RulesRead, SavedRule};

/// The length of a prefix, or the group of links, that suppresses nothing
/// (`fib_nl2rule` in `net/core/fib_rules.c`).
const SUPPRESSES_NOTHING: u32 = u32::MAX;

/// The mark that the kernel compares if a rule has none.
const NO_MARK: Mark = Mark { value: 0, mask: 0 };

impl RulesRead for Netlink {
    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        let rules = self.all_rules(namespace)?.into_iter();
        let rules = rules.filter_map(|rule| rule.is_expressed.then_some(rule.found));
        let (v4, v6): (Vec<_>, Vec<_>) =
            rules.partition(|found| found.rule.version == IpVersion::Ipv4);
        Ok([v4, v6].concat())
    }

    fn has_rule(&mut self, namespace: Namespace, wanted: &Rule) -> Result<bool, KernelError> {
        let rules = self.all_rules(namespace)?;
        Ok(rules.iter().any(|rule| rule.is_removed_for(wanted)))
    }

    fn save_rule(&mut self, namespace: Namespace, wanted: &Rule) -> Result<SavedRule, KernelError> {
        let mut rules = self.all_rules(namespace)?.into_iter();
        let rule = rules.find(|rule| rule.is_expressed && rule.found.rule == *wanted);
        let rule = rule.ok_or(Errno::ENOENT)?;
        Ok(SavedRule(bytes(&rule.message)))
    }
}

impl Rules for Netlink {
    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.send_rule(namespace, message(rule))
    }

    fn remove_rule(&mut self, namespace: Namespace, wanted: &Rule) -> Result<(), KernelError> {
        let own = FoundRule {
            rule: wanted.clone(),
            protocol: RouteProtocol::Static.into(),
        };
        self.delete_rule(namespace, &own)
    }

    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        let message: RuleMessage = parse(&saved.0)?;
        let rule = Read::new(message).ok_or(Errno::EINVAL)?;
        self.delete_rule(namespace, &rule.found)
    }

    fn put_back_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        let message: RuleMessage = parse(&saved.0)?;
        let rules = self.all_rules(namespace)?;
        if rules.iter().any(|rule| rule.message == message) {
            return Ok(());
        }
        unless_existing(|| self.send_rule(namespace, message.clone()))
    }
}

impl Netlink {
    pub(super) fn send_rule(
        &self,
        namespace: Namespace,
        message: RuleMessage,
    ) -> Result<(), KernelError> {
        let mut request = self.handle(namespace)?.rule().add();
        *request.message_mut() = message;
        self.wait(request.execute())
    }

    fn delete_rule(&self, namespace: Namespace, wanted: &FoundRule) -> Result<(), KernelError> {
        let rules = self.all_rules(namespace)?;
        let is_it = |rule: &&Read| rule.is_expressed && rule.found == *wanted;
        let it = rules.iter().find(is_it).ok_or(Errno::ENOENT)?;
        let mut taken = rules
            .iter()
            .filter(|rule| rule.is_removed_for(&wanted.rule))
            .filter(|rule| wanted.protocol == 0 || rule.found.protocol == wanted.protocol);
        if let Some(other) = taken.next().filter(|first| first.message != it.message) {
            return Err(KernelError::would_remove_other(&other.found.rule));
        }
        let rules = self.handle(namespace)?.rule();
        self.wait(rules.del(it.message.clone()).execute())
    }

    /// Returns the rules of both versions of IP, those of each version in the
    /// kernel's order.
    fn all_rules(&self, namespace: Namespace) -> Result<Vec<Read>, KernelError> {
        let mut question = self.handle(namespace)?.rule().get(WireVersion::V4);
        question.message_mut().header.family = AddressFamily::Unspec;
        let answers = self.collect(question.execute())?.into_iter();
        Ok(answers.filter_map(Read::new).collect())
    }
}

/// Returns the message for a rule.
pub(super) fn message(rule: &Rule) -> RuleMessage {
    message_of(&FoundRule {
        rule: rule.clone(),
        protocol: RouteProtocol::Static.into(),
    })
}

/// The same for one that somebody has made.
pub(super) fn message_of(found: &FoundRule) -> RuleMessage {
    let rule = &found.rule;
    let length = |network: Option<IpNet>| network.map_or(0, |network| network.prefix_len());
    let mut message = RuleMessage::default();
    message.header.family = family(rule.version);
    message.header.src_len = length(rule.source);
    message.header.dst_len = length(rule.destination);
    message.header.action = RuleAction::ToTable;
    let name = |link: &LinkName| link.to_string();
    let named = [
        rule.source.map(|from| RuleAttribute::Source(from.addr())),
        rule.destination
            .map(|to| RuleAttribute::Destination(to.addr())),
        rule.incoming.as_ref().map(name).map(RuleAttribute::Iifname),
        rule.outgoing.as_ref().map(name).map(RuleAttribute::Oifname),
        rule.mark.map(|mark| RuleAttribute::FwMark(mark.value)),
        rule.mark.map(|mark| RuleAttribute::FwMask(mark.mask)),
    ];
    message.attributes = vec![
        RuleAttribute::Priority(rule.priority),
        RuleAttribute::Table(rule.table),
        RuleAttribute::Protocol(found.protocol.into()),
    ];
    message.attributes.extend(named.into_iter().flatten());
    message
}

/// Reads a rule of the kernel's, if a [`Rule`] can express it.
pub(super) fn expressed(message: RuleMessage) -> Option<FoundRule> {
    let read = Read::new(message)?;
    read.is_expressed.then_some(read.found)
}

/// A rule of the kernel's that leads to a table.
struct Read {
    /// The message, in a form that can be sent again.
    message: RuleMessage,
    found: FoundRule,
    /// Whether `found` expresses all of the rule.
    is_expressed: bool,
}

impl Read {
    /// Reads a rule. Returns `None` for rules of other address families, and
    /// for those that don't lead to a table.
    fn new(message: RuleMessage) -> Option<Self> {
        let version = match message.header.family {
            AddressFamily::Inet => IpVersion::Ipv4,
            AddressFamily::Inet6 => IpVersion::Ipv6,
            _ => return None,
        };
        if message.header.action != RuleAction::ToTable {
            return None;
        }
        let message = sendable(message);
        let header = &message.header;
        let mut found = FoundRule {
            rule: Rule {
                version,
                source: None,
                destination: None,
                incoming: None,
                outgoing: None,
                mark: None,
                priority: 0,
                table: header.table.into(),
            },
            protocol: 0,
        };
        let mut is_expressed = header.flags.is_empty() && header.tos == 0;
        for attribute in &message.attributes {
            is_expressed &= read_attribute(&mut found, header, attribute);
        }
        let mark = &mut found.rule.mark;
        *mark = mark.filter(|mark| mark.mask != 0);
        Some(Self {
            found,
            is_expressed,
            message,
        })
    }

    /// Whether the kernel would remove this rule when asked to remove another
    /// one of the same protocol.
    fn is_removed_for(&self, wanted: &Rule) -> bool {
        let found = &self.found.rule;
        let has_mark = wanted.mark.is_none_or(|wanted| {
            let found = found.mark.unwrap_or(NO_MARK);
            found.mask == wanted.mask && (wanted.value == 0 || found.value == wanted.value)
        });
        has_mark
            && found.version == wanted.version
            && found.priority == wanted.priority
            && found.table == wanted.table
            && (wanted.source.is_none() || found.source == wanted.source)
            && (wanted.destination.is_none() || found.destination == wanted.destination)
            && (wanted.incoming.is_none() || found.incoming == wanted.incoming)
            && (wanted.outgoing.is_none() || found.outgoing == wanted.outgoing)
    }
}

/// Leaves out flags that describe only the present state. Names a priority of
/// 0, because the kernel would otherwise choose one.
fn sendable(mut message: RuleMessage) -> RuleMessage {
    message.header.flags &= RuleFlags::Invert;
    let is_priority = |attribute: &RuleAttribute| matches!(attribute, RuleAttribute::Priority(_));
    if !message.attributes.iter().any(is_priority) {
        message.attributes.push(RuleAttribute::Priority(0));
    }
    message
}

/// Reads one attribute. Returns whether a [`Rule`] can express it.
fn read_attribute(found: &mut FoundRule, header: &RuleHeader, attribute: &RuleAttribute) -> bool {
    let FoundRule { rule, protocol } = found;
    match attribute {
        RuleAttribute::Source(from) => rule.source = network(*from, header.src_len),
        RuleAttribute::Destination(to) => rule.destination = network(*to, header.dst_len),
        RuleAttribute::Iifname(name) => {
            rule.incoming = name.parse().ok();
            return rule.incoming.is_some();
        }
        RuleAttribute::Oifname(name) => {
            rule.outgoing = name.parse().ok();
            return rule.outgoing.is_some();
        }
        RuleAttribute::FwMark(value) => rule.mark.get_or_insert(NO_MARK).value = *value,
        RuleAttribute::FwMask(mask) => rule.mark.get_or_insert(NO_MARK).mask = *mask,
        RuleAttribute::Priority(priority) => rule.priority = *priority,
        RuleAttribute::Table(table) => rule.table = *table,
        RuleAttribute::Protocol(number) => *protocol = (*number).into(),
        RuleAttribute::SuppressPrefixLen(SUPPRESSES_NOTHING)
        | RuleAttribute::SuppressIfGroup(SUPPRESSES_NOTHING) => {}
        _ => return false,
    }
    true
}

/// Returns a network, or `None` for all addresses.
fn network(address: IpAddr, length: u8) -> Option<IpNet> {
    let network = IpNet::new(address, length).ok()?;
    (length > 0).then(|| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Rule {
        Rule {
            version: IpVersion::Ipv4,
            source: Some("10.0.0.0/8".parse().unwrap()),
            destination: None,
            incoming: None,
            outgoing: None,
            mark: None,
            priority: 100,
            table: 77,
        }
    }

    fn full() -> Rule {
        Rule {
            version: IpVersion::Ipv6,
            source: Some("fd00::2/128".parse().unwrap()),
            destination: Some("fd01::/64".parse().unwrap()),
            incoming: Some("eth0".parse().unwrap()),
            outgoing: Some("eth1".parse().unwrap()),
            mark: Some(Mark {
                value: 0,
                mask: 0xff,
            }),
            priority: 0,
            table: 1077,
        }
    }

    fn read(message: &RuleMessage) -> Read {
        Read::new(parse(&bytes(message)).unwrap()).unwrap()
    }

    #[test]
    fn all_of_a_rule_comes_back_from_the_message() {
        for rule in [plain(), full()] {
            let read = read(&message(&rule));
            assert!(read.is_expressed);
            assert_eq!(read.found.rule, rule);
            assert_eq!(read.found.protocol, 4);
        }
    }

    /// The kernel adds flags and attributes of its own (`fib_nl_fill_rule`).
    #[test]
    fn a_rule_of_the_kernel_can_be_sent_again() {
        let rule = Rule {
            priority: 0,
            ..plain()
        };
        let mut answer = message(&rule);
        answer.header.flags = RuleFlags::IifDetached;
        let attributes = &mut answer.attributes;
        attributes.retain(|attribute| !matches!(attribute, RuleAttribute::Priority(_)));
        attributes.push(RuleAttribute::SuppressPrefixLen(SUPPRESSES_NOTHING));
        let read = read(&answer);
        assert!(read.is_expressed);
        assert_eq!(read.found.rule, rule);
        assert!(read.message.header.flags.is_empty());
        assert!(
            read.message
                .attributes
                .contains(&RuleAttribute::Priority(0))
        );
    }

    #[test]
    fn a_rule_that_has_more_is_not_told() {
        let mut ports = message(&plain());
        ports.attributes.push(RuleAttribute::L3MDev(true));
        let mut inverted = message(&plain());
        inverted.header.flags = RuleFlags::Invert;
        for message in [ports, inverted] {
            let read = read(&message);
            assert!(!read.is_expressed, "{message:?}");
            assert!(read.is_removed_for(&plain()), "{message:?}");
        }
        let mut nothing = message(&plain());
        nothing.header.action = RuleAction::Unreachable;
        assert!(Read::new(nothing).is_none());
    }

    #[test]
    fn a_rule_is_taken_for_one_that_names_less() {
        let narrow = Rule {
            incoming: Some("eth0".parse().unwrap()),
            mark: Some(Mark { value: 1, mask: 3 }),
            ..plain()
        };
        assert!(read(&message(&narrow)).is_removed_for(&plain()));
        assert!(!read(&message(&plain())).is_removed_for(&narrow));
        let unmarked = Rule {
            mark: Some(Mark { value: 0, mask: 3 }),
            ..narrow.clone()
        };
        assert!(read(&message(&narrow)).is_removed_for(&unmarked));
        assert!(!read(&message(&unmarked)).is_removed_for(&narrow));
        let later = Rule {
            priority: 101,
            ..plain()
        };
        assert!(!read(&message(&later)).is_removed_for(&plain()));
    }
}
