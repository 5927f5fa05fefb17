//! Existing rules. Chains grow with the number of containers. Reading all
//! expressions of a rule would cost a hundred times as much as the few
//! attributes that are needed, so only these are read.

use rtnetlink::packet_core::{NlaBuffer, NlasIterator};

use crate::netlink::exchange::Raw;

/// NFTA_RULE_CHAIN
const CHAIN: u16 = 2;
/// NFTA_RULE_HANDLE
const HANDLE: u16 = 3;
/// NFTA_RULE_EXPRESSIONS
const EXPRESSIONS: u16 = 4;
/// NFTA_RULE_USERDATA
const USER_DATA: u16 = 7;
/// NFTA_EXPR_NAME
const EXPRESSION_NAME: u16 = 1;
/// The bytes before the attributes (`struct nfgenmsg`).
const HEADER: usize = 4;

/// An existing rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ExistingRule {
    /// The rule's chain.
    pub(super) chain: String,
    /// The kernel's number for the rule.
    pub(super) handle: u64,
    /// The comment as it was written. Fixed rules have none.
    pub(super) tag: Option<Vec<u8>>,
    /// The names of the expressions, for fixed rules.
    pub(super) kinds: Vec<String>,
}

impl ExistingRule {
    /// Reads a rule in the kernel's answer.
    pub(super) fn read(answer: &Raw) -> Self {
        let mut rule = Self::default();
        let mut expressions = Vec::new();
        for attribute in attributes(answer.bytes().get(HEADER..).unwrap_or_default()) {
            let value = attribute.value();
            match attribute.kind() {
                CHAIN => rule.chain = text(value),
                HANDLE => rule.handle = value.try_into().map_or(0, u64::from_be_bytes),
                USER_DATA => rule.tag = Some(value.to_vec()),
                EXPRESSIONS => expressions = value.to_vec(),
                _ => {}
            }
        }
        if rule.tag.is_none() {
            rule.kinds = attributes(&expressions)
                .filter_map(|one| name(&one))
                .collect();
        }
        rule
    }
}

fn name(expression: &NlaBuffer<&[u8]>) -> Option<String> {
    let mut parts = attributes(expression.value());
    let name = parts.find(|part| part.kind() == EXPRESSION_NAME)?;
    Some(text(name.value()))
}

fn attributes(bytes: &[u8]) -> impl Iterator<Item = NlaBuffer<&[u8]>> {
    NlasIterator::new(bytes).filter_map(Result::ok)
}

/// Reads a text that ends with a NUL.
fn text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use netlink_packet_netfilter::nftables::{NfTablesMessage, RuleAttribute, RuleMessage};
    use rtnetlink::packet_core::Emitable;

    use super::super::expression::{Fate, is_protocol, verdict};
    use super::*;

    fn read(tag: Option<&[u8]>) -> ExistingRule {
        let expressions = [is_protocol(6).to_vec(), vec![verdict(Fate::Drop)]].concat();
        let mut attributes = vec![
            RuleAttribute::Table("table".to_owned()),
            RuleAttribute::Chain("incoming".to_owned()),
            RuleAttribute::Handle(0x1_0000_0007),
            RuleAttribute::Expressions(expressions),
        ];
        attributes.extend(tag.map(|tag| RuleAttribute::UserData(tag.to_vec())));
        let message = NfTablesMessage::NewRule(RuleMessage { attributes });
        let mut bytes = vec![0; HEADER + message.buffer_len()];
        message.emit(&mut bytes[HEADER..]);
        ExistingRule::read(&Raw::new(0, bytes))
    }

    #[test]
    fn a_rule_is_read_as_it_was_written() {
        let tagged = read(Some(b"\x00\x02a\x00"));
        assert_eq!(tagged.chain, "incoming");
        assert_eq!(tagged.handle, 0x1_0000_0007);
        assert_eq!(tagged.tag.as_deref(), Some(&b"\x00\x02a\x00"[..]));
        let fixed = read(None);
        assert_eq!(fixed.tag, None);
        assert_eq!(fixed.kinds, ["meta", "cmp", "immediate"]);
    }

    #[test]
    fn what_is_cut_off_is_not_there() {
        for bytes in [vec![1, 2], vec![0, 0, 0, 0, 9, 0, 2, 0]] {
            assert_eq!(
                ExistingRule::read(&Raw::new(0, bytes)),
                ExistingRule::default()
            );
        }
    }
}
