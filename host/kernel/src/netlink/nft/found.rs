//! The existing objects of an entry, found by their tag.

use netlink_packet_netfilter::nftables::{
    ListAttribute, NfTablesMessage, SetElementAttribute, SetElementList,
};

use super::batch::{Table, comment};
use super::object::Object;
use super::set::Element;
use super::socket::Change;
use crate::netlink::Netlink;
use crate::{FirewallEntry, KernelError};

/// An existing object.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Rule { chain: &'static str, handle: u64 },
    Element(&'a Element),
}

impl Found<'_> {
    /// Returns the change that removes the object.
    pub(super) fn remove(&self, table: Table<'_>) -> Change {
        match self {
            Self::Rule { chain, handle } => table.remove_rule(chain, *handle),
            Self::Element(element) => table.remove_element(element),
        }
    }
}

impl Netlink {
    /// Returns the objects of an entry that exist.
    #[track_caller]
    pub(super) fn find_objects<'a>(
        &mut self,
        entry: &FirewallEntry,
        objects: &'a [Object],
    ) -> Result<Vec<Found<'a>>, KernelError> {
        let table = Table::of(entry);
        let tag = comment(&entry.tag);
        let mut chains: Vec<&'static str> = Vec::new();
        let mut found = Vec::new();
        for object in objects {
            match object {
                Object::Rule { chain, .. } if chains.contains(chain) => {}
                Object::Rule { chain, .. } => {
                    chains.push(chain);
                    let rules = self.rules(table, Some(chain))?.into_iter();
                    let own = rules.filter(|rule| rule.tag.as_ref() == Some(&tag));
                    found.extend(own.map(|rule| Found::Rule {
                        chain,
                        handle: rule.handle,
                    }));
                }
                Object::Element(element) => {
                    let existing = self.tag_of_element(table, element)?;
                    found.extend(
                        (existing.as_ref() == Some(&tag)).then_some(Found::Element(element)),
                    );
                }
            }
        }
        Ok(found)
    }

    /// Returns the comment of the existing element with the same key, or `None`
    /// if there is no such element. An element without a comment has an empty
    /// one. A missing element is looked for once more, because the caller
    /// forgets it afterwards.
    #[track_caller]
    pub(super) fn tag_of_element(
        &mut self,
        table: Table<'_>,
        element: &Element,
    ) -> Result<Option<Vec<u8>>, KernelError> {
        for _ in 0..2 {
            match self.tag_of_element_now(table, element) {
                Err(error) if error.is_not_found() => {}
                tag => return tag,
            }
        }
        Ok(None)
    }

    /// Returns the comment of the existing element with the same key. Fails if
    /// there is no such element.
    #[track_caller]
    pub(super) fn tag_of_element_now(
        &mut self,
        table: Table<'_>,
        element: &Element,
    ) -> Result<Option<Vec<u8>>, KernelError> {
        let answers = self.ask_nft(table.namespace(), &table.get_element(element))?;
        Ok(answers.iter().find_map(tag))
    }
}

/// Returns the comment of the first element in an answer.
fn tag(answer: &NfTablesMessage) -> Option<Vec<u8>> {
    let elements = elements(answer);
    let mut attributes = elements.first()?.iter();
    let tag = attributes.find_map(|attribute| match attribute {
        SetElementAttribute::UserData(tag) => Some(tag.clone()),
        _ => None,
    });
    Some(tag.unwrap_or_default())
}

/// Returns the elements in an answer.
pub(super) fn elements(message: &NfTablesMessage) -> Vec<&[SetElementAttribute]> {
    let NfTablesMessage::NewSetElement(message) = message else {
        return Vec::new();
    };
    let lists = message.attributes.iter().map(|attribute| match attribute {
        SetElementList::Elements(elements) => elements.as_slice(),
        _ => &[],
    });
    lists
        .flatten()
        .filter_map(|element| match element {
            ListAttribute::Element(attributes) => Some(attributes.as_slice()),
            _ => None,
        })
        .collect()
}

/// Returns the tag in a comment, without the comment's kind, length and NUL.
pub(super) fn text_of(comment: &[u8]) -> String {
    let text = String::from_utf8_lossy(comment.get(2..).unwrap_or_default());
    text.trim_end_matches('\0').to_owned()
}
