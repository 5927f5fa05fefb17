//! The handles of rules, by chain and tag. A chain grows with the number of a
//! driver's containers. Reading it again for each rule that is removed would
//! take longer and longer.

use std::collections::{HashMap, VecDeque};

use super::batch::Table;
use super::rules::ExistingRule;
use crate::FirewallFamily;

/// A chain, by its table and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ChainId {
    family: FirewallFamily,
    table: String,
    chain: String,
}

impl ChainId {
    /// Returns the id of a chain in a table.
    pub(super) fn of(table: Table<'_>, chain: &str) -> Self {
        Self {
            family: table.family,
            table: table.name.to_owned(),
            chain: chain.to_owned(),
        }
    }
}

/// The handles of rules by tag, in the order of the chain.
type ByTag = HashMap<Vec<u8>, VecDeque<u64>>;

/// The handles in one generation of nftables.
#[derive(Debug, Default)]
pub(in crate::netlink) struct Handles {
    generation: u32,
    chains: HashMap<ChainId, ByTag>,
}

impl Handles {
    /// Forgets chains that were read in another generation.
    pub(super) fn begin(&mut self, generation: u32) {
        if self.generation != generation {
            self.chains.clear();
        }
        self.generation = generation;
    }

    /// Returns the handles of the first rules that have a tag, or `None` if the
    /// chain wasn't read in this generation.
    pub(super) fn first(&self, chain: &ChainId, tag: &[u8], max: usize) -> Option<Vec<u64>> {
        let rules = self.chains.get(chain)?.get(tag).into_iter().flatten();
        Some(rules.copied().take(max).collect())
    }

    /// Stores the rules of a chain.
    pub(super) fn put(&mut self, chain: ChainId, rules: Vec<ExistingRule>) {
        let mut by_tag = ByTag::new();
        for rule in rules {
            if let Some(tag) = rule.tag {
                by_tag.entry(tag).or_default().push_back(rule.handle);
            }
        }
        self.chains.insert(chain, by_tag);
    }

    /// Removes the first rules that have a tag, after a change has removed
    /// them. The kernel made that change only because nobody else had changed
    /// anything, and each change begins the next generation.
    pub(super) fn remove(&mut self, chain: &ChainId, tag: &[u8], count: usize) {
        self.generation = self.generation.wrapping_add(1);
        let rules = self
            .chains
            .get_mut(chain)
            .and_then(|rules| rules.get_mut(tag));
        if let Some(rules) = rules {
            rules.drain(..count.min(rules.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table<'static> = Table {
        family: FirewallFamily::Inet,
        name: "t",
    };

    fn rules() -> Vec<ExistingRule> {
        let rule = |handle, tag: Option<&[u8]>| ExistingRule {
            handle,
            tag: tag.map(<[u8]>::to_vec),
            ..ExistingRule::default()
        };
        vec![
            rule(1, Some(b"a")),
            rule(2, None),
            rule(3, Some(b"b")),
            rule(4, Some(b"a")),
            rule(5, Some(b"a")),
        ]
    }

    #[test]
    fn rules_go_a_part_at_a_time_and_the_chain_is_read_once() {
        let chain = ChainId::of(TABLE, "c");
        let mut handles = Handles::default();
        handles.begin(7);
        assert_eq!(handles.first(&chain, b"a", 2), None);
        handles.put(chain.clone(), rules());
        assert_eq!(handles.first(&chain, b"a", 2).unwrap(), [1, 4]);
        handles.remove(&chain, b"a", 2);
        handles.begin(8);
        assert_eq!(handles.first(&chain, b"a", 2).unwrap(), [5]);
        assert_eq!(handles.first(&chain, b"b", 2).unwrap(), [3]);
        handles.remove(&chain, b"a", 1);
        handles.begin(9);
        assert!(handles.first(&chain, b"a", 2).unwrap().is_empty());
    }

    #[test]
    fn what_somebody_else_may_have_changed_is_forgotten() {
        let chain = ChainId::of(TABLE, "c");
        let mut handles = Handles::default();
        handles.begin(7);
        handles.put(chain.clone(), rules());
        handles.begin(7);
        assert!(handles.first(&chain, b"a", 2).is_some());
        handles.remove(&chain, b"a", 1);
        handles.begin(9);
        assert_eq!(handles.first(&chain, b"a", 2), None);
    }

    #[test]
    fn chains_of_several_tables_are_told_apart() {
        let bridge = Table {
            family: FirewallFamily::Bridge,
            name: "t",
        };
        let mut handles = Handles::default();
        handles.put(ChainId::of(TABLE, "c"), rules());
        assert_eq!(handles.first(&ChainId::of(bridge, "c"), b"a", 1), None);
        assert_eq!(handles.first(&ChainId::of(TABLE, "d"), b"a", 1), None);
    }
}
