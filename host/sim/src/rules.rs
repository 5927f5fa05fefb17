//! Policy routing rules.

use kernel::{FoundRule, KernelError, MAIN_TABLE, Rules, RulesRead, Saved, SavedRule};
use nix::errno::Errno;
use types::{IpVersion, Mark, Namespace, Rule};

use super::Simulation;
use super::machine::{BY_HAND, BY_KERNEL, Machine};

/// The priorities and tables of the rules that every namespace has. IPv6 has
/// the first two only (`fib_default_rules_init`, `fib6_rules_net_init`).
const DEFAULTS: [(u32, u32); 3] = [(0, 255), (32766, MAIN_TABLE), (32767, 253)];

impl RulesRead for Simulation {
    fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        self.in_time()?.rules(namespace)
    }

    fn has_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<bool, KernelError> {
        let machine = &mut *self.in_time()?;
        let is_it = |found: &FoundRule| is_taken_for(&found.rule, rule);
        if machine.own_rules(namespace)?.iter().any(is_it) {
            return Ok(true);
        }
        // One that can't be told.
        let told = &machine.room_ref(namespace).rules_before;
        let is_untold = !told.iter().any(is_it);
        Ok(is_untold && machine.is_real(namespace) && machine.reader.has_rule(namespace, rule)?)
    }

    fn save_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<SavedRule, KernelError> {
        let machine = &mut *self.in_time()?;
        let mut rules = machine.own_rules(namespace)?.iter();
        let found = rules.find(|found| found.rule == *rule);
        Ok(Saved::rule(found.ok_or(Errno::ENOENT)?))
    }
}

impl Rules for Simulation {
    fn add_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let found = FoundRule {
            rule: rule.clone(),
            protocol: BY_HAND,
        };
        machine.put_rule(namespace, found)
    }

    fn remove_rule(&mut self, namespace: Namespace, rule: &Rule) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let own = FoundRule {
            rule: rule.clone(),
            protocol: BY_HAND,
        };
        machine.drop_rule(namespace, &own)
    }

    fn remove_saved_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let found = Saved::read_rule(saved)?.ok_or(Errno::EINVAL)?;
        machine.drop_rule(namespace, &found)
    }

    fn put_back_rule(
        &mut self,
        namespace: Namespace,
        saved: &SavedRule,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let found = Saved::read_rule(saved)?.ok_or(Errno::EINVAL)?;
        super::snapshots::unless_there(machine.put_rule(namespace, found))
    }
}

impl Machine {
    pub(super) fn rules(&mut self, namespace: Namespace) -> Result<Vec<FoundRule>, KernelError> {
        Ok(self.own_rules(namespace)?.clone())
    }

    /// The rules that can be told, for changing them.
    fn own_rules(&mut self, namespace: Namespace) -> Result<&mut Vec<FoundRule>, KernelError> {
        if self.room_ref(namespace).rules.is_none() {
            let rules = match self.is_real(namespace) {
                true => self.reader.rules(namespace)?,
                false => defaults(),
            };
            self.room(namespace).rules_before.clone_from(&rules);
            self.room(namespace).rules = Some(rules);
        }
        Ok(self.room(namespace).rules.get_or_insert_default())
    }

    /// The rules that there are more of than in the beginning, and less.
    pub(super) fn rule_changes(&self, namespace: Namespace) -> [Vec<Rule>; 2] {
        let room = self.room_ref(namespace);
        let now = room.rules.as_ref().unwrap_or(&room.rules_before);
        let more = |ones: &[FoundRule], others: &[FoundRule]| {
            let mut others = others.to_vec();
            let mut more = Vec::new();
            for one in ones {
                match others.iter().position(|other| other == one) {
                    Some(place) => drop(others.remove(place)),
                    None => more.push(one.rule.clone()),
                }
            }
            more
        };
        [more(now, &room.rules_before), more(&room.rules_before, now)]
    }

    /// `fib_nl_newrule`: after those of the same priority.
    fn put_rule(&mut self, namespace: Namespace, new: FoundRule) -> Result<(), KernelError> {
        let rules = self.own_rules(namespace)?;
        if rules.iter().any(|there| is_counted_as(there, &new)) {
            return Err(Errno::EEXIST.into());
        }
        let order =
            |found: &FoundRule| (found.rule.version == IpVersion::Ipv6, found.rule.priority);
        let later = rules.iter().position(|there| order(there) > order(&new));
        rules.insert(later.unwrap_or(rules.len()), new);
        Ok(())
    }

    fn drop_rule(&mut self, namespace: Namespace, wanted: &FoundRule) -> Result<(), KernelError> {
        let rules = self.own_rules(namespace)?;
        if !rules.contains(wanted) {
            return Err(Errno::ENOENT.into());
        }
        // The kernel removes the first rule that has all properties of the
        // request.
        let mut taken = rules.iter().filter(|found| {
            found.protocol == wanted.protocol && is_taken_for(&found.rule, &wanted.rule)
        });
        if let Some(other) = taken.next().filter(|first| *first != wanted) {
            return Err(KernelError::would_remove_other(&other.rule));
        }
        let place = rules.iter().position(|found| found == wanted);
        rules.remove(place.ok_or(Errno::ENOENT)?);
        Ok(())
    }
}

/// What the kernel compares where a rule has no mark.
const NO_MARK: Mark = Mark { value: 0, mask: 0 };

/// Whether the kernel would remove a rule when asked to remove another one
/// (`rule_find`).
fn is_taken_for(found: &Rule, wanted: &Rule) -> bool {
    let has_mark = wanted.mark.is_none_or(|wanted| {
        let found = found.mark.unwrap_or(NO_MARK);
        found.mask == wanted.mask && (wanted.value == 0 || found.value == wanted.value)
    });
    let named = [
        has_mark,
        wanted.source.is_none() || wanted.source == found.source,
        wanted.destination.is_none() || wanted.destination == found.destination,
        wanted.incoming.is_none() || wanted.incoming == found.incoming,
        wanted.outgoing.is_none() || wanted.outgoing == found.outgoing,
    ];
    named.iter().all(|has| *has)
        && (found.version, found.priority, found.table)
            == (wanted.version, wanted.priority, wanted.table)
}

/// Whether the kernel takes a new rule for one that is there: where the new one
/// names no network, the other may (`rule_exists`, `fib4_rule_compare`).
fn is_counted_as(there: &FoundRule, new: &FoundRule) -> bool {
    let exact = |found: &FoundRule| {
        let rule = &found.rule;
        let mark = rule.mark.unwrap_or(NO_MARK);
        let links = (rule.incoming.clone(), rule.outgoing.clone());
        (found.protocol, links, mark.value, mark.mask)
    };
    exact(there) == exact(new)
        && is_taken_for(
            &there.rule,
            &Rule {
                mark: None,
                ..new.rule.clone()
            },
        )
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
