//! Restoring objects that somebody has removed.
//!
//! The existing objects are read first. The missing ones are added in one
//! change, if nobody has changed anything in between. Rules whose order counts
//! are compared chain by chain. If one is missing or out of place, all wanted
//! rules of its chain are removed and added again in the same change, so that
//! no packet meets half of them.

use std::collections::HashSet;

use netlink_packet_netfilter::nftables::{ExpressionAttribute, ListAttribute};
use types::Namespace;

use super::batch::{Table, comment};
use super::expression::Expression;
use super::found::text_of;
use super::object::{Object, objects};
use super::rules::ExistingRule;
use super::set::Element;
use super::socket::Change;
use super::table::{chains, is_open, rules};
use super::{CHANGE_MAX, LACKING_PARTS, taken, without_nftables};
use crate::netlink::Netlink;
use crate::{FirewallEntry, KernelError, MissingFirewall};

/// The changes that restore entries.
#[derive(Debug, Default)]
struct Repair {
    /// The parts that are missing.
    missing: Vec<MissingFirewall>,
    /// The fixed parts and the rules.
    changes: Vec<Change>,
    /// The elements of sets.
    elements: Vec<Change>,
}

/// A rule that should exist.
struct WantedRule<'a> {
    chain: &'static str,
    expressions: Vec<Expression>,
    entry: &'a FirewallEntry,
}

impl Netlink {
    /// Lists the parts of entries that are missing.
    #[track_caller]
    pub(super) fn missing_objects(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        Ok(self.repair(entries)?.missing)
    }

    /// Restores the missing parts of entries, and returns them. Restores as
    /// much as fits into one change at a time. Only elements of sets are left
    /// for later changes.
    #[track_caller]
    pub(in crate::netlink) fn add_missing(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        let mut missing = Vec::new();
        let mut done = 0;
        loop {
            let mut left = false;
            let repaired = self.until_undisturbed(Namespace::Host, |kernel| {
                let mut repair = kernel.repair(entries)?;
                let space = CHANGE_MAX.saturating_sub(repair.changes.len());
                left = repair.elements.len() > space;
                if done == 0 {
                    missing = repair.missing;
                }
                repair.elements.truncate(space.max(1));
                repair.changes.append(&mut repair.elements);
                Ok(repair.changes)
            });
            repaired
                .map_err(|error| without_nftables(error, &LACKING_PARTS))
                .map_err(|error| error.after(done))?;
            if !left {
                return Ok(missing);
            }
            done += 1;
        }
    }

    #[track_caller]
    fn repair(&mut self, entries: &[FirewallEntry]) -> Result<Repair, KernelError> {
        let mut repair = Repair::default();
        let mut tables: Vec<&FirewallEntry> = Vec::new();
        let of_host = |entry: &&FirewallEntry| entry.namespace() == Namespace::Host;
        for entry in entries.iter().filter(of_host) {
            if !tables.iter().any(|other| other.is_beside(entry)) {
                tables.push(entry);
            }
        }
        for one in tables {
            let beside = entries.iter().filter(|entry| entry.is_beside(one));
            self.repair_table(Table::of(one), &beside.collect::<Vec<_>>(), &mut repair)?;
        }
        Ok(repair)
    }

    #[track_caller]
    fn repair_table(
        &mut self,
        table: Table<'_>,
        entries: &[&FirewallEntry],
        repair: &mut Repair,
    ) -> Result<(), KernelError> {
        let existing = self.rules_of(table)?;
        if !has_fixed_part(table, &existing) {
            let table_name = table.name.to_owned();
            repair.missing.push(MissingFirewall::Table(table_name));
            repair.changes.extend(table.lay());
        }
        let mut lacking: Vec<&FirewallEntry> = Vec::new();
        let mut wanted = Vec::new();
        // Two entries may have the same element.
        let mut seen = HashSet::new();
        for entry in entries {
            for object in objects(&entry.rule) {
                match object {
                    Object::Rule { chain, expressions } => wanted.push(WantedRule {
                        chain,
                        expressions,
                        entry,
                    }),
                    Object::Element(element) => {
                        if seen.insert((element.set, element.key.clone()))
                            && self.is_free(table, entry, &element)?
                        {
                            lacking.push(entry);
                            let object = Object::Element(element);
                            repair.elements.push(table.add(&object, &entry.tag));
                        }
                    }
                }
            }
        }
        for chain in chains(table.family).iter().filter(|chain| is_open(chain)) {
            let of_chain = wanted.iter().filter(|rule| rule.chain == chain.name);
            let of_chain: Vec<_> = of_chain.collect();
            let (lacks, changes) = repair_chain(table, chain.name, &of_chain, &existing);
            lacking.extend(lacks);
            repair.changes.extend(changes);
        }
        let lacks =
            |entry: &&&FirewallEntry| lacking.iter().any(|other| std::ptr::eq(*other, **entry));
        let missing = entries.iter().filter(lacks);
        let missing = missing.map(|entry| MissingFirewall::Rule(entry.rule.clone()));
        repair.missing.extend(missing);
        Ok(())
    }

    /// Returns the rules of a table, or none if the table doesn't exist. A
    /// missing table is looked for once more, because that decides what is
    /// added.
    #[track_caller]
    fn rules_of(&mut self, table: Table<'_>) -> Result<Vec<ExistingRule>, KernelError> {
        for _ in 0..2 {
            match self.rules(table, None) {
                Err(error) if error.is_not_found() => {}
                rules => return rules,
            }
        }
        Ok(Vec::new())
    }

    /// Whether an element is missing. The same container may have it on another
    /// of its networks. Fails if somebody else has it.
    #[track_caller]
    fn is_free(
        &mut self,
        table: Table<'_>,
        entry: &FirewallEntry,
        element: &Element,
    ) -> Result<bool, KernelError> {
        // One look is enough: an element that exists after all isn't added
        // again.
        let tag = match self.tag_of_element_now(table, element) {
            Err(error) if error.is_not_found() => None,
            tag => tag?,
        };
        let Some(tag) = tag else {
            return Ok(true);
        };
        let tag = text_of(&tag);
        match tag == entry.tag || entry.is_same_container(&tag) {
            true => Ok(false),
            false => Err(taken(table, element, &tag)),
        }
    }
}

/// Returns the entries whose rules are missing in a chain or out of place, and
/// the changes that restore all wanted rules in their order.
fn repair_chain<'a>(
    table: Table<'_>,
    chain: &str,
    wanted: &[&WantedRule<'a>],
    existing: &[ExistingRule],
) -> (Vec<&'a FirewallEntry>, Vec<Change>) {
    let tags: Vec<Vec<u8>> = wanted.iter().map(|rule| comment(&rule.entry.tag)).collect();
    let is_wanted = |rule: &&ExistingRule| {
        rule.chain == chain && rule.tag.as_ref().is_some_and(|tag| tags.contains(tag))
    };
    let existing: Vec<_> = existing.iter().filter(is_wanted).collect();
    let is = existing.iter().filter_map(|rule| rule.tag.as_ref());
    if is.clone().eq(&tags) {
        return (Vec::new(), Vec::new());
    }
    let count = |tag: &Vec<u8>| is.clone().filter(|other| *other == tag).count();
    let should = |tag: &Vec<u8>| tags.iter().filter(|other| *other == tag).count();
    let mut lacking: Vec<_> = wanted
        .iter()
        .zip(&tags)
        .filter(|(_, tag)| count(tag) < should(tag))
        .map(|(rule, _)| rule.entry)
        .collect();
    if lacking.is_empty() {
        // All rules exist, but in another order or several times.
        lacking.extend(wanted.iter().map(|rule| rule.entry));
    }
    let old = existing.iter();
    let mut changes: Vec<_> = old
        .map(|rule| table.remove_rule(chain, rule.handle))
        .collect();
    changes.extend(wanted.iter().map(|rule| {
        let object = Object::Rule {
            chain: rule.chain,
            expressions: rule.expressions.clone(),
        };
        table.add(&object, &rule.entry.tag)
    }));
    (lacking, changes)
}

/// Whether the fixed part of a table is complete. Chains and sets can't be
/// removed before the rules that name them, so only rules are compared. Of
/// these only the kinds of expressions are compared, because the kernel words
/// the expressions in its own way.
fn has_fixed_part(table: Table<'_>, existing: &[ExistingRule]) -> bool {
    let fixed = rules(table.family);
    let mut fixed_chains = chains(table.family).iter().filter(|chain| !is_open(chain));
    fixed_chains.all(|chain| {
        let should = fixed.iter().filter(|(name, _)| *name == chain.name);
        let should: Vec<_> = should.map(|(_, expressions)| kinds(expressions)).collect();
        let is = existing.iter().filter(|rule| rule.chain == chain.name);
        let is = is.map(|rule| &rule.kinds);
        is.eq(&should)
    })
}

fn kinds(expressions: &[Expression]) -> Vec<String> {
    let names = expressions
        .iter()
        .filter_map(|expression| match expression {
            ListAttribute::Element(parts) => parts.iter().find_map(|part| match part {
                ExpressionAttribute::Name(name) => Some(name.clone()),
                _ => None,
            }),
            _ => None,
        });
    names.collect()
}
