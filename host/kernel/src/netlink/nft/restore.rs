//! Putting back what somebody has removed.
//!
//! What is there is read first, and what is missing is added in one change, if
//! nobody has changed anything in between. Rules whose order counts are looked at
//! chain by chain: where one is missing or out of place, all of its chain that are
//! asked for are removed and added anew in the same change, so that no packet
//! meets half of them.

use std::collections::HashSet;

use netlink_packet_netfilter::nftables::{ExpressionAttribute, ListAttribute};

use super::batch::{Table, comment};
use super::expression::Expression;
use super::found::text_of;
use super::object::{Object, objects};
use super::rules::ThereRule;
use super::set::Element;
use super::socket::Change;
use super::table::{chains, is_open, rules};
use super::{CHANGE_MAX, LACKING_PARTS, taken, without_nftables};
use crate::netlink::Netlink;
use crate::{FirewallEntry, KernelError, MissingFirewall};

/// What it takes to have entries be there.
#[derive(Debug, Default)]
struct Repair {
    /// What is missing.
    missing: Vec<MissingFirewall>,
    /// The fixed parts and the rules.
    changes: Vec<Change>,
    /// The elements of sets.
    elements: Vec<Change>,
}

/// A rule with a tag that is asked for.
struct WantedRule<'a> {
    chain: &'static str,
    expressions: Vec<Expression>,
    entry: &'a FirewallEntry,
}

impl Netlink {
    /// Lists what of entries is missing.
    #[track_caller]
    pub(super) fn missing_objects(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        Ok(self.repair(entries)?.missing)
    }

    /// Puts back what of entries is missing, and says what it was. As much as fits
    /// into one change is put back at once: the rest are elements of sets.
    #[track_caller]
    pub(in crate::netlink) fn add_missing(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        let mut missing = Vec::new();
        let mut done = 0;
        loop {
            let mut left = false;
            let repaired = self.until_undisturbed(|kernel| {
                let mut repair = kernel.repair(entries)?;
                let room = CHANGE_MAX.saturating_sub(repair.changes.len());
                left = repair.elements.len() > room;
                if done == 0 {
                    missing = repair.missing;
                }
                repair.elements.truncate(room.max(1));
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
        for entry in entries {
            if !tables.iter().any(|other| other.is_beside(entry)) {
                tables.push(entry);
            }
        }
        for one in tables {
            let its = entries.iter().filter(|entry| entry.is_beside(one));
            self.repair_table(Table::of(one), &its.collect::<Vec<_>>(), &mut repair)?;
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
        let there = self.rules_of(table)?;
        if !is_laid(table, &there) {
            let table_name = table.name.to_owned();
            repair.missing.push(MissingFirewall::Table(table_name));
            repair.changes.extend(table.lay());
        }
        let mut lacking: Vec<&FirewallEntry> = Vec::new();
        let mut wanted = Vec::new();
        // Two entries may be about the same one.
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
            let its = wanted.iter().filter(|rule| rule.chain == chain.name);
            let its: Vec<_> = its.collect();
            let (lacks, changes) = repair_chain(table, chain.name, &its, &there);
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

    /// The rules of a table, none where there is no such table. What isn't there is
    /// looked for once more, because that decides what is added.
    #[track_caller]
    fn rules_of(&mut self, table: Table<'_>) -> Result<Vec<ThereRule>, KernelError> {
        for _ in 0..2 {
            match self.rules(table, None) {
                Err(error) if error.is_not_found() => {}
                rules => return rules,
            }
        }
        Ok(Vec::new())
    }

    /// Whether nobody has an element. The same container may have it on another
    /// of its networks.
    #[track_caller]
    fn is_free(
        &mut self,
        table: Table<'_>,
        entry: &FirewallEntry,
        element: &Element,
    ) -> Result<bool, KernelError> {
        // Once is enough: what is there after all isn't added anew.
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

/// The entries of which rules are missing in a chain, or out of place, and the
/// changes that have all of them be there in their order.
fn repair_chain<'a>(
    table: Table<'_>,
    chain: &str,
    wanted: &[&WantedRule<'a>],
    there: &[ThereRule],
) -> (Vec<&'a FirewallEntry>, Vec<Change>) {
    let tags: Vec<Vec<u8>> = wanted.iter().map(|rule| comment(&rule.entry.tag)).collect();
    let is_its = |rule: &&ThereRule| {
        rule.chain == chain && rule.tag.as_ref().is_some_and(|tag| tags.contains(tag))
    };
    let there: Vec<_> = there.iter().filter(is_its).collect();
    let is = there.iter().filter_map(|rule| rule.tag.as_ref());
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
        // All are there, but not in this order, or more often.
        lacking.extend(wanted.iter().map(|rule| rule.entry));
    }
    let old = there.iter();
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

/// Whether the fixed part of a table is there. Its chains and sets can't go
/// before the rules that name them, and of these it's compared what kinds of
/// expressions they consist of: the kernel words them in its own way.
fn is_laid(table: Table<'_>, there: &[ThereRule]) -> bool {
    let fixed = rules(table.family);
    let mut fixed_chains = chains(table.family).iter().filter(|chain| !is_open(chain));
    fixed_chains.all(|chain| {
        let should = fixed.iter().filter(|(name, _)| *name == chain.name);
        let should: Vec<_> = should.map(|(_, expressions)| kinds(expressions)).collect();
        let is = there.iter().filter(|rule| rule.chain == chain.name);
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
