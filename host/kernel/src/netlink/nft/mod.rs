//! The firewall of the host and of a container's namespace, as nftables over
//! netlink (`linux/netfilter/nf_tables.h`).
//!
//! The messages are those of `netlink-packet-netfilter`. It belongs to the same
//! family of crates as all other messages here, has the same license (MIT), and
//! has no unsafe code. `lacking` holds the expressions that it lacks.
//! `netlink-bindings` knows every expression, but it's a second, generated
//! codec with much unsafe code. `nlink` would bring a second set of sockets and
//! connections. Both are the work of one person each.
//!
//! A driver has one table in each family that it needs. Every change carries
//! the table's fixed part (`table`) along. The objects of an entry in the
//! journal are found by their tag, a comment. A change that only adds needs no
//! knowledge of existing objects. A change that removes reads them first, and
//! the kernel rejects it if anything has changed since (NFNL_BATCH_GENID). Then
//! it's tried again. So runs of several networks, and of other installations,
//! can share a table.

mod batch;
mod confined;
mod conntrack;
mod expression;
mod forward;
mod found;
mod handles;
mod in_container;
mod lacking;
mod object;
mod restore;
mod rules;
mod senders;
mod set;
mod socket;
mod table;
mod taken_over;

use netlink_packet_netfilter::nftables::{GenAttribute, NfTablesMessage};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};
use nix::errno::Errno;
use types::Namespace;

use self::batch::{Table, ask_generation, comment};
pub use self::forward::DroppingChain;
use self::found::{elements, text_of};
use self::handles::ChainId;
pub(super) use self::handles::Handles;
use self::object::{Object, objects};
use self::rules::ExistingRule;
use self::set::Element;
use self::socket::Change;
pub(super) use self::socket::Netfilter;
use self::table::sets;
use super::Netlink;
use super::exchange::Raw;
use crate::{Firewall, FirewallEntry, FirewallRead, KernelError, MissingFirewall};

/// The most attempts at a change while others change nftables too.
const ATTEMPTS: usize = 100;

/// The most objects in one change. They fit into the smallest buffer of a
/// socket (400 KiB, unless somebody has set another size).
const CHANGE_MAX: usize = 500;

impl FirewallRead for Netlink {
    #[track_caller]
    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        for entry in entries {
            let table = Table::of(entry);
            for object in objects(&entry.rule) {
                match self.existing_element(table, &object) {
                    Some((element, tag)) if !entry.is_same_container(&tag) => {
                        return Err(taken(table, element, &tag));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    #[track_caller]
    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        let objects = objects(&entry.rule);
        Ok(self.find_objects(entry, &objects)?.len() == objects.len())
    }

    #[track_caller]
    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        let mut missing = Vec::new();
        if entries.is_empty() {
            return Ok(missing);
        }
        self.until_undisturbed(Namespace::Host, |kernel| {
            missing = kernel.missing_objects(entries)?;
            Ok(Vec::new())
        })?;
        Ok(missing)
    }
}

impl Firewall for Netlink {
    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.add_objects(entries)?;
        let mut entries = entries.iter();
        let forgotten = entries.try_for_each(|entry| self.forget_before(&entry.rule));
        forgotten.map_err(KernelError::unfinished)
    }

    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        let mut restored = self.add_missing(entries)?.into_iter();
        restored.try_for_each(|restored| match restored {
            MissingFirewall::Rule(rule) => self.forget_before(&rule),
            MissingFirewall::Table(_) => Ok(()),
        })
    }

    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let removed = self.remove_objects(entry);
        self.unless_taken_over(Table::of(entry), removed)?;
        self.forget_of(&entry.rule)
    }

    #[track_caller]
    fn remove_empty_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let table = Table::of(entry);
        let removed = self.until_undisturbed(table.namespace(), |kernel| {
            match kernel.is_in_use(table)? {
                true => Ok(Vec::new()),
                false => Ok(vec![table.remove()]),
            }
        });
        self.unless_taken_over(table, removed)
    }
}

impl Netlink {
    /// Adds the objects of entries that share a table.
    #[track_caller]
    pub(super) fn add_objects(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        let objects: Vec<_> = entries
            .iter()
            .flat_map(|entry| objects(&entry.rule).into_iter().map(move |it| (entry, it)))
            .collect();
        for (done, part) in objects.chunks(CHANGE_MAX).enumerate() {
            self.add_part(part).map_err(|error| error.after(done))?;
        }
        Ok(())
    }

    #[track_caller]
    fn add_part(&mut self, objects: &[(&FirewallEntry, Object)]) -> Result<(), KernelError> {
        let Some((first, _)) = objects.first() else {
            return Ok(());
        };
        let table = Table::of(first);
        let mut changes = table.lay();
        changes.extend(objects.iter().map(|(entry, it)| table.add(it, &entry.tag)));
        let put = self.change_nft(table.namespace(), &changes, None);
        let error = match put {
            Ok(()) => return Ok(()),
            Err(error) => without_nftables(error, &LACKING_PARTS),
        };
        // EBUSY means another value under the same key.
        match error.errno() {
            Some(Errno::EEXIST | Errno::EBUSY) => self.add_free_objects(table, objects, error),
            _ => Err(error),
        }
    }

    /// Adds those of some objects that don't exist, after the kernel has found
    /// that some do. Passes over objects of the same container on another
    /// network. Fails if somebody else has one: the error names the object and
    /// its owner.
    #[track_caller]
    fn add_free_objects(
        &mut self,
        table: Table<'_>,
        objects: &[(&FirewallEntry, Object)],
        error: KernelError,
    ) -> Result<(), KernelError> {
        let mut free = Vec::new();
        for (entry, object) in objects {
            match self.existing_element(table, object) {
                None => free.push((*entry, object.clone())),
                Some((element, tag)) if !entry.is_same_container(&tag) => {
                    return Err(taken(table, element, &tag));
                }
                Some(_) => {}
            }
        }
        match free.len() == objects.len() {
            true => Err(error),
            false => self.add_part(&free),
        }
    }

    /// Returns the element of an object, and the tag of the existing element
    /// with the same key.
    #[track_caller]
    fn existing_element<'a>(
        &mut self,
        table: Table<'_>,
        object: &'a Object,
    ) -> Option<(&'a Element, String)> {
        let Object::Element(element) = object else {
            return None;
        };
        let tag = self.tag_of_element(table, element).ok()??;
        Some((element, text_of(&tag)))
    }

    /// Removes the objects of an entry that exist.
    #[track_caller]
    pub(super) fn remove_objects(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let table = Table::of(entry);
        let (rules, elements): (Vec<_>, Vec<_>) = objects(&entry.rule)
            .into_iter()
            .partition(|object| matches!(object, Object::Rule { .. }));
        let mut chains: Vec<&str> = rules.iter().filter_map(Object::chain).collect();
        chains.dedup();
        for chain in chains {
            self.remove_rules(table, chain, &entry.tag)?;
        }
        let mut parts = elements.chunks(CHANGE_MAX);
        parts.try_for_each(|part| {
            self.until_undisturbed(table.namespace(), |kernel| {
                let found = kernel.find_objects(entry, part)?;
                Ok(found.iter().map(|it| it.remove(table)).collect())
            })
        })
    }

    /// Removes the rules of a chain that have a tag. Each change removes as
    /// many as it can hold, so that any number of rules can be removed.
    #[track_caller]
    fn remove_rules(
        &mut self,
        table: Table<'_>,
        chain: &str,
        tag: &str,
    ) -> Result<(), KernelError> {
        let (id, tag) = (ChainId::of(table, chain), comment(tag));
        let namespace = table.namespace();
        let mut disturbed = 0;
        loop {
            let generation = self.nft_generation(namespace)?;
            self.sockets_mut(namespace)?.handles.begin(generation);
            let done = match self.first_handles(table, chain, &id, &tag) {
                Ok(part) if part.is_empty() => return Ok(()),
                Ok(part) => {
                    let rules = part.iter();
                    let changes = rules.map(|handle| table.remove_rule(chain, *handle));
                    let changes: Vec<Change> = changes.collect();
                    let done = self.change_nft(namespace, &changes, Some(generation));
                    done.map(|()| part.len())
                }
                Err(error) => Err(error),
            };
            match done {
                Ok(count) => {
                    let handles = &mut self.sockets_mut(namespace)?.handles;
                    handles.remove(&id, &tag, count);
                }
                Err(error) if error.errno() != Some(Errno::ERESTART) => return Err(error),
                Err(_) if disturbed >= ATTEMPTS => return Err(Errno::EBUSY.into()),
                Err(_) => disturbed += 1,
            }
        }
    }

    /// Returns the handles of the first rules of a chain that have a tag. Reads
    /// the chain only if it may have changed since it was read.
    #[track_caller]
    fn first_handles(
        &mut self,
        table: Table<'_>,
        chain: &str,
        id: &ChainId,
        tag: &[u8],
    ) -> Result<Vec<u64>, KernelError> {
        let handles = &self.sockets(table.namespace())?.handles;
        if let Some(handles) = handles.first(id, tag, CHANGE_MAX) {
            return Ok(handles);
        }
        let rules = self.rules(table, Some(chain))?;
        let handles = &mut self.sockets_mut(table.namespace())?.handles;
        handles.put(id.clone(), rules);
        let handles = handles.first(id, tag, CHANGE_MAX);
        Ok(handles.unwrap_or_default())
    }

    #[track_caller]
    fn is_in_use(&mut self, table: Table<'_>) -> Result<bool, KernelError> {
        // Fixed rules have no tags.
        let rules = self.rules(table, None)?;
        if rules.iter().any(|rule| rule.tag.is_some()) {
            return Ok(true);
        }
        for set in sets(table.family) {
            let answers = self.list_nft(table.namespace(), &table.list_elements(set.name))?;
            if answers.iter().any(|answer| !elements(answer).is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a change that depends on existing objects. Plans it again if
    /// somebody has changed nftables meanwhile.
    #[track_caller]
    fn until_undisturbed(
        &mut self,
        namespace: Namespace,
        mut plan: impl FnMut(&mut Self) -> Result<Vec<Change>, KernelError>,
    ) -> Result<(), KernelError> {
        for _ in 0..ATTEMPTS {
            let generation = self.nft_generation(namespace)?;
            let done = plan(self).and_then(|changes| match changes.is_empty() {
                true => Ok(()),
                false => self.change_nft(namespace, &changes, Some(generation)),
            });
            match done {
                Err(error) if error.errno() == Some(Errno::ERESTART) => {}
                done => return done,
            }
        }
        Err(Errno::EBUSY.into())
    }

    #[track_caller]
    fn nft_generation(&mut self, namespace: Namespace) -> Result<u32, KernelError> {
        let answers = self.ask_nft(namespace, &ask_generation())?.into_iter();
        let attributes = answers.filter_map(|answer| match answer {
            NfTablesMessage::NewGen(message) => Some(message.attributes),
            _ => None,
        });
        let number = attributes.flatten().find_map(|attribute| match attribute {
            GenAttribute::Id(number) => Some(number),
            _ => None,
        });
        number.ok_or_else(|| {
            KernelError::Netlink("the kernel reports no generation of nftables".to_owned())
        })
    }

    #[track_caller]
    fn ask_nft(
        &mut self,
        namespace: Namespace,
        question: &NetfilterMessage,
    ) -> Result<Vec<NfTablesMessage>, KernelError> {
        of_nftables(self.netfilter(namespace, async |netfilter| netfilter.ask(question).await))
    }

    /// Returns the rules of a chain, or of all chains of a table.
    #[track_caller]
    fn rules(
        &mut self,
        table: Table<'_>,
        chain: Option<&str>,
    ) -> Result<Vec<ExistingRule>, KernelError> {
        let question = table.list_rules(chain);
        let answers = self.netfilter(table.namespace(), async |netfilter| {
            netfilter.list(&question).await
        });
        let answers = answers.map_err(|error| without_nftables(error, &LACKING))?;
        Ok(answers.iter().map(ExistingRule::read).collect())
    }

    #[track_caller]
    fn list_nft(
        &mut self,
        namespace: Namespace,
        question: &NetfilterMessage,
    ) -> Result<Vec<NfTablesMessage>, KernelError> {
        of_nftables(self.netfilter(namespace, async |netfilter| netfilter.list(question).await))
    }

    #[track_caller]
    fn change_nft(
        &mut self,
        namespace: Namespace,
        changes: &[Change],
        generation: Option<u32>,
    ) -> Result<(), KernelError> {
        self.netfilter(namespace, async |netfilter| {
            netfilter.batch(changes, generation).await
        })
    }
}

fn taken(table: Table<'_>, element: &Element, tag: &str) -> KernelError {
    let Element { title, set, .. } = element;
    KernelError::Refused {
        errno: Errno::EEXIST,
        text: format!(
            "{title} is taken: the set {set} of the table {} has it for {tag:?}",
            table.name
        ),
    }
}

fn of_nftables(
    answers: Result<Vec<Raw>, KernelError>,
) -> Result<Vec<NfTablesMessage>, KernelError> {
    let answers = answers.map_err(|error| without_nftables(error, &LACKING))?;
    let mut messages = Vec::new();
    for answer in &answers {
        if let NetfilterMessageInner::NfTables(message) = answer.decode::<NetfilterMessage>()?.inner
        {
            messages.push(message);
        }
    }
    Ok(messages)
}

/// The errors of a kernel without nftables: it knows no such messages (EINVAL,
/// EOPNOTSUPP), or not even such sockets.
const LACKING: [Errno; 3] = [Errno::EINVAL, Errno::EOPNOTSUPP, Errno::EPROTONOSUPPORT];

/// The errors of a kernel that lacks the family of a table, or an expression of
/// a change (ENOENT).
const LACKING_PARTS: [Errno; 3] = [Errno::EOPNOTSUPP, Errno::EAFNOSUPPORT, Errno::ENOENT];

/// Replaces an error number by the options that the kernel lacks.
fn without_nftables(error: KernelError, lacking: &[Errno]) -> KernelError {
    match error {
        KernelError::Errno { errno } if lacking.contains(&errno) => KernelError::Refused {
            errno: Errno::EOPNOTSUPP,
            text: format!(
                "this kernel lacks nftables or a part of them: it must be built with NF_TABLES, \
                 NF_TABLES_INET, NF_CONNTRACK, NFT_CT, NFT_NAT, NFT_MASQ and NFT_FIB_INET, and for \
                 spoof checks with NF_TABLES_BRIDGE ({})",
                errno.desc()
            ),
        },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_nftables_is_told_of_as_such() {
        for errno in LACKING {
            let error = without_nftables(errno.into(), &LACKING);
            assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
            assert!(!error.is_not_found());
        }
        let error = without_nftables(Errno::ENOENT.into(), &LACKING_PARTS);
        assert!(error.to_string().contains("NFT_NAT"), "{error}");
        let other = without_nftables(Errno::EPERM.into(), &LACKING);
        assert_eq!(other.errno(), Some(Errno::EPERM));
    }
}
