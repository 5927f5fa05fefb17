//! The messages of a change.

use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, DataAttribute, GenMessage, Hook as HookAttribute, HookNumber,
    ListAttribute, NfTablesMessage, RuleAttribute, RuleMessage, SetAttribute, SetElementAttribute,
    SetElementList, SetElementMessage, SetFlags, SetMessage, TableAttribute, TableMessage,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterProtoFamily};
use rtnetlink::packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL};
use types::Namespace;

use super::expression::Expression;
use super::object::Object;
use super::set::{Element, Set, length, number};
use super::socket::{Change, header};
use super::table::{Chain, chains, is_open, rules, sets};
use crate::{FirewallEntry, FirewallFamily};

/// NFTNL_UDATA_RULE_COMMENT and NFTNL_UDATA_SET_ELEM_COMMENT in libnftnl: nft(8)
/// shows it.
const COMMENT: u8 = 0;

/// A table, by its family and name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) family: FirewallFamily,
    pub(super) name: &'a str,
}

impl<'a> Table<'a> {
    /// The table of an entry.
    pub(super) fn of(entry: &'a FirewallEntry) -> Self {
        Self {
            family: entry.rule.family(),
            name: &entry.table,
        }
    }

    /// The namespace that it's in.
    pub(super) fn namespace(self) -> Namespace {
        self.family.namespace()
    }

    /// A message about it.
    pub(super) fn message(self, message: NfTablesMessage) -> NetfilterMessage {
        let family = match self.family {
            FirewallFamily::Inet | FirewallFamily::Container => NetfilterProtoFamily::Inet,
            FirewallFamily::Bridge => NetfilterProtoFamily::Bridge,
        };
        NetfilterMessage::new(header(family), message)
    }

    fn change(self, message: NfTablesMessage, flags: u16) -> Change {
        Change {
            message: self.message(message),
            flags,
        }
    }

    /// Makes the table and its fixed part, whatever of it is there.
    pub(super) fn lay(self) -> Vec<Change> {
        let mut changes = vec![self.change(NfTablesMessage::NewTable(self.itself()), NLM_F_CREATE)];
        for chain in chains(self.family) {
            changes.push(self.change(self.new_chain(chain), NLM_F_CREATE));
        }
        for (id, set) in (1..).zip(sets(self.family)) {
            changes.push(self.change(self.new_set(set, id), NLM_F_CREATE));
        }
        for chain in chains(self.family).iter().filter(|chain| !is_open(chain)) {
            let all = RuleMessage {
                attributes: self.in_chain(chain.name).into(),
            };
            changes.push(self.change(NfTablesMessage::DeleteRule(all), 0));
        }
        let fixed = rules(self.family).into_iter();
        changes.extend(fixed.map(|(chain, expressions)| self.new_rule(chain, expressions, None)));
        changes
    }

    /// Asks for the table.
    pub(super) fn get(self) -> NetfilterMessage {
        self.message(NfTablesMessage::GetTable(self.itself()))
    }

    /// Removes the table with all that is in it.
    pub(super) fn remove(self) -> Change {
        self.change(NfTablesMessage::DeleteTable(self.itself()), 0)
    }

    /// Adds an object under a tag.
    pub(super) fn add(self, object: &Object, tag: &str) -> Change {
        match object {
            Object::Rule { chain, expressions } => {
                self.new_rule(chain, expressions.clone(), Some(tag))
            }
            Object::Element(element) => {
                let mut attributes = vec![key(&element.key)];
                let value = element.value.as_ref();
                attributes.extend(
                    value.map(|value| {
                        SetElementAttribute::Data(DataAttribute::Value(value.clone()))
                    }),
                );
                attributes.push(SetElementAttribute::UserData(comment(tag)));
                let element = self.element(element.set, attributes);
                // Somebody else's isn't taken over.
                let flags = NLM_F_CREATE | NLM_F_EXCL;
                self.change(NfTablesMessage::NewSetElement(element), flags)
            }
        }
    }

    /// Removes a rule.
    pub(super) fn remove_rule(self, chain: &str, handle: u64) -> Change {
        let mut attributes: Vec<_> = self.in_chain(chain).into();
        attributes.push(RuleAttribute::Handle(handle));
        self.change(NfTablesMessage::DeleteRule(RuleMessage { attributes }), 0)
    }

    /// Removes an element of a set.
    pub(super) fn remove_element(self, element: &Element) -> Change {
        let element = self.element(element.set, vec![key(&element.key)]);
        self.change(NfTablesMessage::DeleteSetElement(element), 0)
    }

    /// Asks for an element of a set by its key.
    pub(super) fn get_element(self, element: &Element) -> NetfilterMessage {
        let element = self.element(element.set, vec![key(&element.key)]);
        self.message(NfTablesMessage::GetSetElement(element))
    }

    /// Asks for the elements of a set.
    pub(super) fn list_elements(self, set: &str) -> NetfilterMessage {
        self.message(NfTablesMessage::GetSetElement(SetElementMessage {
            attributes: self.in_set(set).into(),
        }))
    }

    /// Asks for the rules of a chain, or of all.
    pub(super) fn list_rules(self, chain: Option<&str>) -> NetfilterMessage {
        let attributes = match chain {
            Some(chain) => self.in_chain(chain).into(),
            None => vec![RuleAttribute::Table(self.name.to_owned())],
        };
        self.message(NfTablesMessage::GetRule(RuleMessage { attributes }))
    }

    fn itself(self) -> TableMessage {
        TableMessage {
            attributes: vec![TableAttribute::Name(self.name.to_owned())],
        }
    }

    fn in_chain(self, chain: &str) -> [RuleAttribute; 2] {
        [
            RuleAttribute::Table(self.name.to_owned()),
            RuleAttribute::Chain(chain.to_owned()),
        ]
    }

    fn new_chain(self, chain: &Chain) -> NfTablesMessage {
        let mut attributes = vec![
            ChainAttribute::Table(self.name.to_owned()),
            ChainAttribute::Name(chain.name.to_owned()),
        ];
        if let Some(hook) = chain.hook {
            let priority = hook.priority.cast_unsigned();
            attributes.push(ChainAttribute::Hook(vec![
                HookAttribute::Number(HookNumber::Other(hook.number)),
                HookAttribute::Priority(priority),
            ]));
            attributes.push(ChainAttribute::Type(hook.kind.to_owned()));
        }
        NfTablesMessage::NewChain(ChainMessage { attributes })
    }

    fn new_set(self, set: &Set, id: u32) -> NfTablesMessage {
        let bytes = |kinds| u32::try_from(length(kinds)).unwrap_or_default();
        let flags = match set.value {
            [] => SetFlags::empty(),
            _ => SetFlags::Map,
        };
        let mut attributes = vec![
            SetAttribute::Table(self.name.to_owned()),
            SetAttribute::Name(set.name.to_owned()),
            SetAttribute::Flags(flags),
            SetAttribute::KeyType(number(set.key)),
            SetAttribute::KeyLen(bytes(set.key)),
            SetAttribute::Id(id),
        ];
        if !set.value.is_empty() {
            attributes.push(SetAttribute::DataType(number(set.value)));
            attributes.push(SetAttribute::DataLen(bytes(set.value)));
        }
        NfTablesMessage::NewSet(SetMessage { attributes })
    }

    fn in_set(self, set: &str) -> [SetElementList; 2] {
        [
            SetElementList::Table(self.name.to_owned()),
            SetElementList::Set(set.to_owned()),
        ]
    }

    fn element(self, set: &str, attributes: Vec<SetElementAttribute>) -> SetElementMessage {
        let elements = vec![ListAttribute::Element(attributes)];
        let mut attributes: Vec<_> = self.in_set(set).into();
        attributes.push(SetElementList::Elements(elements));
        SetElementMessage { attributes }
    }

    fn new_rule(self, chain: &str, expressions: Vec<Expression>, tag: Option<&str>) -> Change {
        let mut attributes: Vec<_> = self.in_chain(chain).into();
        attributes.push(RuleAttribute::Expressions(expressions));
        attributes.extend(tag.map(|tag| RuleAttribute::UserData(comment(tag))));
        let rule = NfTablesMessage::NewRule(RuleMessage { attributes });
        self.change(rule, NLM_F_CREATE | NLM_F_APPEND)
    }
}

fn key(key: &[u8]) -> SetElementAttribute {
    SetElementAttribute::Key(DataAttribute::Value(key.to_vec()))
}

/// Asks for the number of changes that nftables have seen.
pub(super) fn ask_generation() -> NetfilterMessage {
    let message = GenMessage {
        attributes: Vec::new(),
    };
    let family = header(NetfilterProtoFamily::Unspec);
    NetfilterMessage::new(family, NfTablesMessage::GetGen(message))
}

/// A tag as nft(8) keeps comments: kind, length, and the text with a NUL.
pub(super) fn comment(tag: &str) -> Vec<u8> {
    let text: Vec<u8> = tag.bytes().chain([0]).collect();
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [vec![COMMENT, length], text].concat()
}
