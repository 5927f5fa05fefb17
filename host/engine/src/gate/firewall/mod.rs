//! The interface `firewall`.

mod arguments;
mod publish;
mod trust;

use std::net::IpAddr;

use ipnet::IpNet;
use journal::Change;
use kernel::{FirewallEntry, FirewallOwner, FirewallRule, KernelError, Policy};
use nix::errno::Errno;
use policy::{Call, Object, Reach, describe};
use types::{LinkName, Mac, Namespace};
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid};
use super::clash::View;
use super::own::Own;
use super::{Gate, Kernel, LinkHandle, bounds};
use crate::driver::wit::firewall::{
    Host, Isolation as WitIsolation, LinkTraffic as WitLinkTraffic, Traffic as WitTraffic,
};
use crate::driver::wit::types::Port as WitPort;
use crate::guard::Permitted;

impl Host for Gate {
    fn masquerade(&mut self, source: String, except: Vec<String>) -> Result<(), CallError> {
        let call = Call::FirewallMasquerade;
        let translation = arguments::translation(call, &source, &except, None)?;
        let network = translation.source;
        let objects = [self.source_object(network)];
        let rule = FirewallRule::Translate(translation);
        let wanted = vec![self.shared_entry(rule)];
        self.add_to_firewall(call, &objects, Subject::Packets(network), wanted)
    }

    fn source_address(
        &mut self,
        source: String,
        except: Vec<String>,
        address: String,
    ) -> Result<(), CallError> {
        let call = Call::FirewallSourceAddress;
        let address = arguments::address(call, &address)?;
        let translation = arguments::translation(call, &source, &except, Some(address))?;
        if IpNet::from(address).max_prefix_len() != translation.source.max_prefix_len() {
            let text = format!("{source} and {address} are of two families");
            return Err(invalid(call, &text));
        }
        let network = translation.source;
        let objects = [self.source_object(network), Object::Outbound(address)];
        let rule = FirewallRule::Translate(translation);
        let wanted = vec![self.shared_entry(rule)];
        self.add_to_firewall(call, &objects, Subject::Packets(network), wanted)
    }

    fn publish(
        &mut self,
        link: Resource<LinkHandle>,
        ports: Vec<WitPort>,
        address: String,
    ) -> Result<(), CallError> {
        self.publish_ports(&link, ports, &address)
    }

    fn isolate(
        &mut self,
        link: Resource<LinkHandle>,
        isolation: WitIsolation,
    ) -> Result<(), CallError> {
        let call = Call::FirewallIsolate;
        let link = self.host_link(call, &link)?;
        let rule = FirewallRule::Isolate {
            link: link.name.clone(),
            isolation: isolation.into(),
        };
        let objects = [self.object(&link)];
        let wanted = vec![self.shared_entry(rule)];
        self.add_to_firewall(call, &objects, Subject::Links, wanted)
    }

    fn internal(&mut self, link: Resource<LinkHandle>, host: bool) -> Result<(), CallError> {
        let call = Call::FirewallInternal;
        let link = self.host_link(call, &link)?;
        let rule = FirewallRule::Internal {
            link: link.name.clone(),
            host,
        };
        let objects = [self.object(&link)];
        let mut wanted = vec![self.shared_entry(rule)];
        if self.is_for_one_container(&link) {
            wanted.extend(self.members_behind(&link.name));
        }
        self.add_to_firewall(call, &objects, Subject::Links, wanted)
    }

    fn spoof_check(&mut self, link: Resource<LinkHandle>, mac: String) -> Result<(), CallError> {
        let call = Call::FirewallSpoofCheck;
        let link = self.host_link(call, &link)?;
        bounds::address(call, &mac)?;
        let mac: Mac = mac.parse().map_err(|error| invalid(call, &error))?;
        let rule = FirewallRule::CheckSender {
            link: link.name.clone(),
            mac,
        };
        let objects = [self.object(&link)];
        let wanted = vec![self.own_entry(rule)];
        self.add_to_firewall(call, &objects, Subject::Links, wanted)
    }

    fn trust(&mut self, source: String) -> Result<(), CallError> {
        self.trust_source(&source)
    }

    fn accept(&mut self, traffic: WitTraffic) -> Result<(), CallError> {
        self.filter(Call::FirewallAccept, traffic, Policy::Accept)
    }

    fn drop(&mut self, traffic: WitTraffic) -> Result<(), CallError> {
        self.filter(Call::FirewallDrop, traffic, Policy::Drop)
    }

    fn accept_in_container(
        &mut self,
        link: Resource<LinkHandle>,
        traffic: WitLinkTraffic,
    ) -> Result<(), CallError> {
        let call = Call::FirewallAcceptInContainer;
        self.filter_link(call, &link, traffic, Policy::Accept)
    }

    fn drop_in_container(
        &mut self,
        link: Resource<LinkHandle>,
        traffic: WitLinkTraffic,
    ) -> Result<(), CallError> {
        let call = Call::FirewallDropInContainer;
        self.filter_link(call, &link, traffic, Policy::Drop)
    }
}

/// Who makes the rules of the host's firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firewall {
    /// This program.
    Ours,
    /// Somebody else: `firewall_driver = "none"` in containers.conf, which netavark and
    /// its plugins get as NETAVARK_FW.
    LeftAlone,
}

/// The part of a record that says why a call did nothing.
const LEFT_ALONE: &str = "the firewall is left alone (NETAVARK_FW=none)";

/// Returns the error for too many rules or ports of a container.
fn full(max: &str, would: usize) -> KernelError {
    KernelError::Refused {
        errno: Errno::ENOSPC,
        text: format!("a container has {max} in the firewall, and this one would have {would}"),
    }
}

/// The packets that a firewall entry affects. They must never be the host's own.
#[derive(Debug, Clone, Copy)]
enum Subject {
    /// The packets of links.
    Links,
    /// The packets of a network. It may contain the driver's own gateway.
    Packets(IpNet),
    /// The packets of an address.
    Peer(IpAddr),
}

impl Subject {
    fn check(self, kernel: &mut dyn Kernel, own: Own) -> Result<(), KernelError> {
        match self {
            Self::Links => Ok(()),
            Self::Packets(network) => {
                View::of_host(kernel, &[network], own)?.check_packets(network)
            }
            Self::Peer(address) => {
                View::of_host(kernel, &[address.into()], own)?.check_peer(address)
            }
        }
    }
}

/// A firewall entry, and whether all containers of the network share it.
struct Wanted {
    entry: FirewallEntry,
    shared: bool,
}

impl Wanted {
    fn change(&self) -> Change {
        Change::AddFirewall {
            entry: self.entry.clone(),
        }
    }
}

impl Gate {
    /// Sets who makes the rules of the host's firewall.
    pub(crate) fn with_firewall(mut self, firewall: Firewall) -> Self {
        self.firewall = firewall;
        self
    }

    /// Returns the entry of a rule for the whole network.
    fn shared_entry(&self, rule: FirewallRule) -> Wanted {
        Wanted {
            entry: FirewallEntry::new(self.firewall_owner(None), rule),
            shared: true,
        }
    }

    /// Returns the entry of a rule for this container.
    fn own_entry(&self, rule: FirewallRule) -> Wanted {
        let container = Some(self.authority.request.container.as_str());
        Wanted {
            entry: FirewallEntry::new(self.firewall_owner(container), rule),
            shared: false,
        }
    }

    /// Whether the driver made a link for this container alone.
    fn is_for_one_container(&self, link: &LinkHandle) -> bool {
        let journal = self.rollback.journal.as_ref();
        let entry = journal.and_then(|journal| journal.entry_of(link.id, &link.name));
        entry.is_some_and(|entry| !entry.shared)
    }

    /// Returns the entries that let the container and other members of an internal
    /// network reach each other, each behind a link of its own.
    fn members_behind(&self, link: &LinkName) -> Vec<Wanted> {
        let request = &self.authority.request;
        let mut wanted: Vec<Wanted> = request
            .addresses
            .iter()
            .map(|address| {
                self.own_entry(FirewallRule::InternalMember {
                    address: address.addr(),
                    link: link.clone(),
                })
            })
            .collect();
        if !request.subnets.is_empty() {
            let subnets = request.subnets.clone();
            wanted.push(self.shared_entry(FirewallRule::InternalSubnets { subnets }));
        }
        wanted
    }

    fn source_object(&self, network: IpNet) -> Object<'static> {
        Object::Source {
            network,
            is_shared: self.has_shared_link(),
        }
    }

    fn firewall_owner<'a>(&'a self, container: Option<&'a str>) -> FirewallOwner<'a> {
        FirewallOwner {
            driver: self.authority.grant.driver(),
            network: &self.authority.request.network,
            container,
        }
    }

    fn filter(&mut self, call: Call, traffic: WitTraffic, policy: Policy) -> Result<(), CallError> {
        let traffic = arguments::traffic(call, traffic)?;
        let objects = [Object::Address {
            namespace: Namespace::Container,
            address: traffic.address.into(),
            own: false,
        }];
        let subject = Subject::Peer(traffic.address);
        let rule = FirewallRule::Filter { traffic, policy };
        self.add_to_firewall(call, &objects, subject, vec![self.own_entry(rule)])
    }

    fn filter_link(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        traffic: WitLinkTraffic,
        policy: Policy,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        if link.id.namespace != Namespace::Container {
            let text = format!("{} isn't in the container's namespace", link.name);
            return Err(invalid(call, &text));
        }
        let rule = FirewallRule::FilterLink {
            link: link.name.clone(),
            traffic: arguments::link_traffic(call, traffic)?,
            policy,
        };
        let objects = [self.object(&link)];
        let wanted = vec![self.own_entry(rule)];
        self.add_to_firewall(call, &objects, Subject::Links, wanted)
    }

    /// Returns a link of the host. The host's firewall has rules only for those.
    fn host_link(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
    ) -> Result<LinkHandle, CallError> {
        let link = self.link(link)?;
        if link.id.namespace == Namespace::Host {
            return Ok(link);
        }
        let text = format!("{} isn't in the host's namespace", link.name);
        Err(invalid(call, &text))
    }

    /// Adds entries, all or none. A shared entry that another container has added
    /// already only gets a record.
    fn add_to_firewall(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
        subject: Subject,
        wanted: Vec<Wanted>,
    ) -> Result<(), CallError> {
        let permit = self.decide(call, objects)?;
        if self.leaves_firewall() {
            return self.leave_firewall(permit, objects, &wanted);
        }
        let publishes = wanted
            .iter()
            .any(|wanted| matches!(wanted.entry.rule, FirewallRule::Publish(_)));
        if publishes && let Err(error) = self.check_publishes(&permit) {
            return self.record(permit, objects, Err(error));
        }
        let own = self.own_objects(Namespace::Host)?;
        let result = match subject.check(self.rollback.guard.open(&permit), own) {
            Err(error) => Err(error),
            Ok(()) => self.add_entries(&permit, wanted)?,
        };
        self.record(permit, objects, result)
    }

    /// Adds rules that all containers of the network share, for a permitted call.
    pub(super) fn add_shared_rules(
        &mut self,
        permit: &Permitted,
        rules: Vec<FirewallRule>,
    ) -> Result<Result<(), KernelError>, CallError> {
        let wanted = rules.into_iter().map(|rule| self.shared_entry(rule));
        let wanted = wanted.collect();
        self.add_entries(permit, wanted)
    }

    fn add_entries(
        &mut self,
        permit: &Permitted,
        mut wanted: Vec<Wanted>,
    ) -> Result<Result<(), KernelError>, CallError> {
        wanted.retain(|wanted| !(wanted.shared && self.has_record(wanted)));
        let within_limits = self.check_firewall_limits(&wanted);
        let missing = match within_limits.and_then(|()| self.missing(permit, &wanted)) {
            Err(error) => return Ok(Err(error)),
            Ok(missing) => missing,
        };
        let plans = wanted.iter().map(|wanted| match wanted.shared {
            true => Plan::shared(wanted.change()),
            false => Plan::of([wanted.change()]),
        });
        let plan = plans.fold(Plan::nothing(), Plan::and);
        self.perform(permit, |_| Ok(plan), |kernel| kernel.add_firewall(&missing))
    }

    /// Whether somebody else makes the firewall's rules.
    pub(super) fn leaves_firewall(&self) -> bool {
        self.firewall == Firewall::LeftAlone
    }

    /// Leaves a link's loopback addresses closed. Without rules nothing is published at
    /// them, and nothing would drop other packets to them.
    pub(super) fn leave_loopback_closed(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        self.record_left_alone(permit, &objects, Ok(()))
    }

    fn record_left_alone(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        result: Result<(), KernelError>,
    ) -> Result<(), CallError> {
        let words = format!("{}; {LEFT_ALONE}", describe(objects));
        self.record_as(permit, objects, (&words, &Reach::default()), result)
    }

    /// Adds nothing, as netavark's own drivers. What the user asked for to keep the
    /// container from something can't be left out.
    fn leave_firewall(
        &mut self,
        permit: Permitted,
        objects: &[Object<'_>],
        wanted: &[Wanted],
    ) -> Result<(), CallError> {
        let mut rules = wanted.iter().map(|wanted| &wanted.entry.rule);
        let confines = rules.any(|rule| {
            matches!(
                rule,
                FirewallRule::Filter { .. }
                    | FirewallRule::FilterLink { .. }
                    | FirewallRule::CheckSender { .. }
            )
        });
        let result = match confines {
            false => Ok(()),
            true => Err(KernelError::Refused {
                errno: Errno::EOPNOTSUPP,
                text: format!(
                    "{LEFT_ALONE}: leave out the option, or let wasmvark make rules \
                     (firewall_driver in containers.conf)"
                ),
            }),
        };
        self.record_left_alone(permit, objects, result)
    }

    /// Refuses entries that would exceed the number of rules or ports that can be
    /// undone in time. Other containers don't count.
    fn check_firewall_limits(&self, wanted: &[Wanted]) -> Result<(), KernelError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(());
        };
        let entries = journal.entries().iter();
        let there = entries.filter_map(|entry| entry.change.firewall());
        let all = || {
            there
                .clone()
                .chain(wanted.iter().map(|wanted| &wanted.entry))
        };
        let sum = |numbers: &mut dyn Iterator<Item = usize>| numbers.fold(0, usize::saturating_add);
        let rules = sum(&mut all().map(|entry| entry.rule.rules()));
        if rules > bounds::FIREWALL_RULES {
            let max = bounds::FIREWALL_RULES;
            return Err(full(&format!("at most {max} rules"), rules));
        }
        let ports = sum(&mut all().map(|entry| entry.rule.ports()));
        let max = bounds::all_ports(&self.authority.request.ports);
        match ports > max {
            true => Err(full(&format!("at most {max} published ports"), ports)),
            false => Ok(()),
        }
    }

    /// Whether this container's journal has a shared entry already.
    fn has_record(&self, wanted: &Wanted) -> bool {
        self.has_shared_record(&wanted.change())
    }

    /// Whether this container's journal has a shared change already.
    fn has_shared_record(&self, change: &Change) -> bool {
        self.rollback.journal.as_ref().is_some_and(|journal| {
            let mut entries = journal.entries_of(Namespace::Host);
            entries.any(|entry| entry.shared && entry.change == *change)
        })
    }

    /// Returns the entries that aren't in the firewall yet.
    fn missing(
        &mut self,
        permit: &Permitted,
        wanted: &[Wanted],
    ) -> Result<Vec<FirewallEntry>, KernelError> {
        let kernel = self.rollback.guard.open(permit);
        let mut missing = Vec::new();
        for Wanted { entry, shared } in wanted {
            if !shared || !kernel.has_firewall(entry)? {
                missing.push(entry.clone());
            }
        }
        Ok(missing)
    }
}
