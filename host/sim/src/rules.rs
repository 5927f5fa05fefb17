//! Policy routing rules.

use kernel::{FoundRule, KernelError, MAIN_TABLE, Rules, RulesRead, Saved, SavedRule};
use nix::errno::Errno;
use types::{IpVersion, Namespace, Rule};

use super::Simulation;
use super::machine::{BY_HAND, BY_KERNEL, Machine};

/// The rules of every namespace: IPv4's, of which IPv6 has the first two
/// (`fib_default_rules_init`, `fib6_rules_net_init`).
const DEFAULTS: [(u32, u32); 3] = [(0, 255), (32766, MAIN_TABLE), (32767, 253)];

impl RulesRead for Simulation {
    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        self.in_time()?.rules(namespace)
    }

    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError> {
        self.in_time()?.has_rule(namespace, rule)
    }

    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError> {
        let machine = &mut *self.in_time()?;
        let rules = machine.rules(namespace)?;
        match rules.iter().any(|found| found.rule == *rule) {
            true => Ok(Saved::rule(rule)),
            false => Err(Errno::ENOENT.into()),
        }
    }
}

impl Rules for Simulation {
    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.in_time()?.add_rule(namespace, rule)
    }

    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        self.in_time()?.remove_rule(namespace, rule)
    }

    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let rule = Saved::read_rule(saved)?.ok_or(Errno::EINVAL)?;
        machine.remove_rule(namespace, &rule)
    }

    fn put_back_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let rule = Saved::read_rule(saved)?.ok_or(Errno::EINVAL)?;
        super::snapshots::unless_there(machine.add_rule(namespace, &rule))
    }
}

impl Machine {
    pub(super) fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        let mut rules = match self.is_real(namespace) {
            true => self.reader.rules(namespace)?,
            false => defaults(),
        };
        let room = self.room_ref(namespace);
        for removed in &room.rules_removed {
            let place = rules.iter().position(|found| found.rule == *removed);
            place.map(|place| rules.remove(place));
        }
        rules.extend(room.rules_added.iter().map(|rule| FoundRule {
            rule: rule.clone(),
            protocol: BY_HAND,
        }));
        rules.sort_by_key(|found| (found.rule.version == IpVersion::Ipv6, found.rule.priority));
        Ok(rules)
    }

    pub(super) fn has_rule(
        &mut self,
        namespace: Namespace,
        rule: &Rule,
    ) -> Result<bool, KernelError> {
        let room = self.room_ref(namespace);
        if room.rules_added.contains(rule) {
            return Ok(true);
        }
        if room.rules_removed.contains(rule) {
            return Ok(false);
        }
        match self.is_real(namespace) {
            true => self.reader.has_rule(namespace, rule),
            false => Ok(defaults().iter().any(|found| found.rule == *rule)),
        }
    }

    pub(super) fn add_rule(
        &mut self,
        namespace: Namespace,
        rule: &Rule,
    ) -> Result<(), KernelError> {
        if self.has_rule(namespace, rule)? {
            return Err(Errno::EEXIST.into());
        }
        let room = self.room(namespace);
        match room.rules_removed.iter().position(|it| it == rule) {
            Some(place) => {
                room.rules_removed.remove(place);
            }
            None => room.rules_added.push(rule.clone()),
        }
        Ok(())
    }

    pub(super) fn remove_rule(
        &mut self,
        namespace: Namespace,
        rule: &Rule,
    ) -> Result<(), KernelError> {
        if !self.has_rule(namespace, rule)? {
            return Err(Errno::ENOENT.into());
        }
        // The kernel removes the first one that has all that is named.
        let rules = self.rules(namespace)?;
        let first = rules.iter().find(|found| is_taken_for(&found.rule, rule));
        if let Some(other) = first.filter(|found| found.rule != *rule) {
            return Err(KernelError::would_remove_other(&other.rule));
        }
        let room = self.room(namespace);
        match room.rules_added.iter().position(|it| it == rule) {
            Some(place) => {
                room.rules_added.remove(place);
            }
            None => room.rules_removed.push(rule.clone()),
        }
        Ok(())
    }
}

/// Whether the kernel would remove a rule when asked to remove another one.
fn is_taken_for(found: &Rule, wanted: &Rule) -> bool {
    let named = [
        wanted.source.is_none() || wanted.source == found.source,
        wanted.destination.is_none() || wanted.destination == found.destination,
        wanted.incoming.is_none() || wanted.incoming == found.incoming,
        wanted.outgoing.is_none() || wanted.outgoing == found.outgoing,
        wanted.mark.is_none() || wanted.mark == found.mark,
    ];
    named.iter().all(|has| *has)
        && (found.version, found.priority, found.table)
            == (wanted.version, wanted.priority, wanted.table)
}

pub(super) fn defaults() -> Vec<FoundRule> {
    let rule = |version, (priority, table): (u32, u32)| FoundRule {
        rule: Rule {
            version,
            source: None,
            destination: None,
            incoming: None,
            outgoing: None,
            mark: None,
            priority,
            table,
        },
        protocol: BY_KERNEL,
    };
    let v4 = DEFAULTS.iter().map(|it| rule(IpVersion::Ipv4, *it));
    let v6 = DEFAULTS.iter().take(2);
    v4.chain(v6.map(|it| rule(IpVersion::Ipv6, *it))).collect()
}
