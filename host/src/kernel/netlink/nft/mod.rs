//! The host's firewall, as nftables over netlink (`linux/netfilter/nf_tables.h`).
//!
//! The messages are those of `netlink-packet-netfilter`, which is of a piece
//! with the crates for all other messages here and has no unsafe code; it's MIT
//! like them, and what it lacks is in `lacking`. `netlink-bindings` knows every
//! expression, but is a second codec beside theirs, made by a generator, with
//! much unsafe code. `nlink` does far more than messages: it would bring a
//! second set of sockets and connections. Both are made by one person each.
//!
//! A driver has one table in each family that it needs, with a fixed part
//! (`table`) that every change carries along. What belongs to one entry of the
//! journal is known by its tag, a comment. A change that adds needs nothing of
//! what is there. One that removes reads first, and is done only if nobody has
//! changed anything since (NFNL_BATCH_GENID); else it's tried anew. So runs of
//! several networks, and of other installations, can share a table.

mod batch;
mod expression;
mod lacking;
mod object;
mod socket;
mod table;

use netlink_packet_netfilter::nftables::{GenAttribute, NfTablesMessage, RuleAttribute};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};
use nix::errno::Errno;

use self::batch::{Table, ask_generation, comment};
use self::object::{Object, objects};
use self::socket::Change;
pub(super) use self::socket::Netfilter;
use super::Netlink;
use crate::kernel::{FirewallEntry, KernelError};

/// How often a change is tried anew because somebody else changed something.
const ATTEMPTS: usize = 100;

/// An object that is there.
#[derive(Debug)]
enum Found {
    Rule { chain: &'static str, handle: u64 },
}

impl Netlink {
    /// Adds what an entry consists of.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    pub(super) fn put_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        let Some(first) = entries.first() else {
            return Ok(());
        };
        let mut changes = Table::of(first).lay();
        for entry in entries {
            let table = Table::of(entry);
            changes.extend(
                objects(&entry.rule)
                    .iter()
                    .map(|it| table.add(it, &entry.tag)),
            );
        }
        let put = self.change_nft(changes, None);
        put.map_err(|error| without_nftables(error, &LACKING_PARTS))
    }

    /// Whether all is there of which an entry consists.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    pub(super) fn finds_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        let objects = objects(&entry.rule);
        let found = self.find_nft(entry, &objects)?;
        Ok(found.len() == objects.len())
    }

    /// Removes what is there of an entry.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    pub(super) fn take_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let table = Table::of(entry);
        let objects = objects(&entry.rule);
        self.until_undisturbed(|kernel| {
            let found = kernel.find_nft(entry, &objects)?;
            Ok(found.iter().map(|it| remove(table, it)).collect())
        })
    }

    /// Removes a driver's table if nothing is in it but the fixed part.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    pub(super) fn take_empty_table(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let table = Table::of(entry);
        self.until_undisturbed(|kernel| {
            let rules = kernel.list_nft(table.list_rules(None))?;
            // Fixed rules have no tags.
            match rules.iter().any(|rule| tag_of_rule(rule).is_some()) {
                true => Ok(Vec::new()),
                false => Ok(vec![table.remove()]),
            }
        })
    }

    /// Makes a change that depends on what is there.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    fn until_undisturbed(
        &mut self,
        plan: impl Fn(&mut Self) -> Result<Vec<Change>, KernelError>,
    ) -> Result<(), KernelError> {
        for _ in 0..ATTEMPTS {
            let generation = self.nft_generation()?;
            let done = plan(self).and_then(|changes| match changes.is_empty() {
                true => Ok(()),
                false => self.change_nft(changes, Some(generation)),
            });
            match done {
                Err(error) if error.errno() == Some(Errno::ERESTART) => {}
                done => return done,
            }
        }
        Err(Errno::EBUSY.into())
    }

    /// The objects of an entry that are there.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    fn find_nft(
        &mut self,
        entry: &FirewallEntry,
        objects: &[Object],
    ) -> Result<Vec<Found>, KernelError> {
        let table = Table::of(entry);
        let mut chains: Vec<&'static str> = Vec::new();
        for object in objects {
            let Object::Rule { chain, .. } = object;
            if !chains.contains(chain) {
                chains.push(chain);
            }
        }
        let tag = comment(&entry.tag);
        let mut found = Vec::new();
        for chain in chains {
            let rules = self.list_nft(table.list_rules(Some(chain)))?;
            let own = rules.iter().filter(|rule| tag_of_rule(rule) == Some(&tag));
            let handles = own.filter_map(handle);
            found.extend(handles.map(|handle| Found::Rule { chain, handle }));
        }
        Ok(found)
    }

    #[cfg_attr(feature = "fault-injection", track_caller)]
    fn nft_generation(&mut self) -> Result<u32, KernelError> {
        let (this, netfilter) = self.netfilter()?;
        let answers = this.wait(netfilter.ask(ask_generation()));
        let answers = answers.map_err(|error| without_nftables(error, &LACKING))?;
        let attributes = answers.into_iter().filter_map(|answer| match answer.inner {
            NetfilterMessageInner::NfTables(NfTablesMessage::NewGen(message)) => {
                Some(message.attributes)
            }
            _ => None,
        });
        let number = attributes.flatten().find_map(|attribute| match attribute {
            GenAttribute::Id(number) => Some(number),
            _ => None,
        });
        number.ok_or_else(|| KernelError::Netlink("nftables have no generation".to_owned()))
    }

    #[cfg_attr(feature = "fault-injection", track_caller)]
    fn list_nft(
        &mut self,
        question: NetfilterMessage,
    ) -> Result<Vec<NfTablesMessage>, KernelError> {
        let (this, netfilter) = self.netfilter()?;
        let answers = this.wait(netfilter.list(question));
        let answers = answers.map_err(|error| without_nftables(error, &LACKING))?;
        Ok(answers
            .into_iter()
            .filter_map(|answer| match answer.inner {
                NetfilterMessageInner::NfTables(message) => Some(message),
                _ => None,
            })
            .collect())
    }

    #[cfg_attr(feature = "fault-injection", track_caller)]
    fn change_nft(
        &mut self,
        changes: Vec<Change>,
        generation: Option<u32>,
    ) -> Result<(), KernelError> {
        let (this, netfilter) = self.netfilter()?;
        this.wait(netfilter.batch(changes, generation))
    }

    /// The socket, opened when it's first needed.
    fn netfilter(&mut self) -> Result<(&Self, &Netfilter), KernelError> {
        if self.netfilter.is_none() {
            let opened = Netfilter::open(&self.runtime).map_err(|error| {
                let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
                without_nftables(errno.into(), &LACKING)
            })?;
            self.netfilter = Some(opened);
        }
        let netfilter = self.netfilter.as_ref().ok_or(Errno::EIO)?;
        Ok((self, netfilter))
    }
}

fn remove(table: Table<'_>, found: &Found) -> Change {
    match found {
        Found::Rule { chain, handle } => table.remove_rule(chain, *handle),
    }
}

fn rule_attributes(message: &NfTablesMessage) -> &[RuleAttribute] {
    match message {
        NfTablesMessage::NewRule(rule) => &rule.attributes,
        _ => &[],
    }
}

/// The comment of a rule, as it was written.
fn tag_of_rule(rule: &NfTablesMessage) -> Option<&Vec<u8>> {
    let mut attributes = rule_attributes(rule).iter();
    attributes.find_map(|attribute| match attribute {
        RuleAttribute::UserData(tag) => Some(tag),
        _ => None,
    })
}

fn handle(rule: &NfTablesMessage) -> Option<u64> {
    let mut attributes = rule_attributes(rule).iter();
    attributes.find_map(|attribute| match attribute {
        RuleAttribute::Handle(handle) => Some(*handle),
        _ => None,
    })
}

/// What a kernel without nftables answers to anything about them: nobody knows
/// such messages (EINVAL, EOPNOTSUPP), or even such sockets.
const LACKING: [Errno; 3] = [Errno::EINVAL, Errno::EOPNOTSUPP, Errno::EPROTONOSUPPORT];

/// What a kernel answers to a change that lacks the family of a table, or one of
/// its expressions (ENOENT).
const LACKING_PARTS: [Errno; 3] = [Errno::EOPNOTSUPP, Errno::EAFNOSUPPORT, Errno::ENOENT];

/// Says what is missing where the kernel's own number doesn't.
fn without_nftables(error: KernelError, lacking: &[Errno]) -> KernelError {
    match error {
        KernelError::Errno { errno } if lacking.contains(&errno) => KernelError::Refused {
            errno: Errno::EOPNOTSUPP,
            text: format!(
                "this kernel lacks nftables, or a part of them that is needed here: it must be \
                 built with NF_TABLES, NF_TABLES_INET, NF_CONNTRACK, NFT_CT, NFT_NAT, NFT_MASQ and \
                 NFT_FIB_INET ({})",
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
