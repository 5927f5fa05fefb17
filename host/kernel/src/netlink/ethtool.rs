//! Messages about the features of links, over the family `ethtool` (the names and
//! numbers are those of `linux/ethtool_netlink.h`; `Documentation/networking/
//! ethtool-netlink.rst` describes them). The crate `ethtool` can't change features,
//! and loses the first of them; `upstream/` has that as a change to it.

use netlink_packet_generic::{GenlFamily, GenlHeader};
use rtnetlink::packet_core::{
    DecodeError, DefaultNla, Emitable, NLA_F_NESTED, Nla, NlaBuffer, Parseable,
    ParseableParametrized, parse_string, parse_u32,
};

use super::nla::{fill, nest, parse_all};

/// Its answer, ETHTOOL_MSG_FEATURES_GET_REPLY, has the same number.
const ETHTOOL_MSG_FEATURES_GET: u8 = 11;
const ETHTOOL_MSG_FEATURES_SET: u8 = 12;
const ETHTOOL_GENL_VERSION: u8 = 1;

const ETHTOOL_A_FEATURES_HEADER: u16 = 1;
const ETHTOOL_A_FEATURES_HW: u16 = 2;
const ETHTOOL_A_FEATURES_WANTED: u16 = 3;
const ETHTOOL_A_FEATURES_ACTIVE: u16 = 4;
const ETHTOOL_A_FEATURES_NOCHANGE: u16 = 5;

const ETHTOOL_A_HEADER_DEV_INDEX: u16 = 1;
const ETHTOOL_A_HEADER_FLAGS: u16 = 3;
/// The acknowledgement is enough.
const ETHTOOL_FLAG_OMIT_REPLY: u32 = 1 << 1;

const ETHTOOL_A_BITSET_NOMASK: u16 = 1;
const ETHTOOL_A_BITSET_BITS: u16 = 3;
const ETHTOOL_A_BITSET_BITS_BIT: u16 = 1;
const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;
const ETHTOOL_A_BITSET_BIT_VALUE: u16 = 3;

/// A message about the features of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FeaturesMessage {
    command: u8,
    pub(super) attributes: Vec<FeaturesAttribute>,
}

impl FeaturesMessage {
    /// Asks for the features of a link.
    pub(super) fn get(link: u32) -> Self {
        let header = FeaturesAttribute::Header(vec![Header::DevIndex(link)]);
        Self {
            command: ETHTOOL_MSG_FEATURES_GET,
            attributes: vec![header],
        }
    }

    /// Asks for a feature to be turned on or off. Only those that are named change.
    pub(super) fn set(link: u32, feature: &str, on: bool) -> Self {
        let header = vec![
            Header::DevIndex(link),
            Header::Flags(ETHTOOL_FLAG_OMIT_REPLY),
        ];
        let wanted = vec![FeatureBit {
            name: feature.to_owned(),
            value: on,
        }];
        Self {
            command: ETHTOOL_MSG_FEATURES_SET,
            attributes: vec![
                FeaturesAttribute::Header(header),
                FeaturesAttribute::Wanted(wanted),
            ],
        }
    }
}

impl GenlFamily for FeaturesMessage {
    fn family_name() -> &'static str {
        "ethtool"
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        ETHTOOL_GENL_VERSION
    }
}

impl Emitable for FeaturesMessage {
    fn buffer_len(&self) -> usize {
        self.attributes.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.attributes.as_slice().emit(buffer);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for FeaturesMessage {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        Ok(Self {
            command: header.cmd,
            attributes: parse_all(bytes)?,
        })
    }
}

/// Attributes of a message about features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FeaturesAttribute {
    Header(Vec<Header>),
    /// What can be changed. The list has every feature.
    Hw(Vec<FeatureBit>),
    /// What was asked for.
    Wanted(Vec<FeatureBit>),
    /// What is on.
    Active(Vec<FeatureBit>),
    /// What never changes.
    NoChange(Vec<FeatureBit>),
    Other(DefaultNla),
}

impl FeaturesAttribute {
    /// The attribute in the form that holds whatever it consists of.
    fn plain(&self) -> DefaultNla {
        match self {
            Self::Header(attributes) => nest(self.kind(), attributes),
            Self::Hw(bits) | Self::Wanted(bits) | Self::Active(bits) | Self::NoChange(bits) => {
                nest(self.kind(), &[nest(ETHTOOL_A_BITSET_BITS, bits)])
            }
            Self::Other(attribute) => attribute.clone(),
        }
    }
}

impl Nla for FeaturesAttribute {
    fn value_len(&self) -> usize {
        self.plain().value_len()
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Header(_) => ETHTOOL_A_FEATURES_HEADER | NLA_F_NESTED,
            Self::Hw(_) => ETHTOOL_A_FEATURES_HW | NLA_F_NESTED,
            Self::Wanted(_) => ETHTOOL_A_FEATURES_WANTED | NLA_F_NESTED,
            Self::Active(_) => ETHTOOL_A_FEATURES_ACTIVE | NLA_F_NESTED,
            Self::NoChange(_) => ETHTOOL_A_FEATURES_NOCHANGE | NLA_F_NESTED,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        self.plain().emit_value(buffer);
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for FeaturesAttribute {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        let value = buffer.value();
        Ok(match buffer.kind() {
            ETHTOOL_A_FEATURES_HEADER => Self::Header(parse_all(value)?),
            ETHTOOL_A_FEATURES_HW => Self::Hw(bits(value)?),
            ETHTOOL_A_FEATURES_WANTED => Self::Wanted(bits(value)?),
            ETHTOOL_A_FEATURES_ACTIVE => Self::Active(bits(value)?),
            ETHTOOL_A_FEATURES_NOCHANGE => Self::NoChange(bits(value)?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}

/// Attributes of ETHTOOL_A_FEATURES_HEADER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Header {
    DevIndex(u32),
    Flags(u32),
    Other(DefaultNla),
}

impl Nla for Header {
    fn value_len(&self) -> usize {
        match self {
            Self::DevIndex(_) | Self::Flags(_) => size_of::<u32>(),
            Self::Other(attribute) => attribute.value_len(),
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::DevIndex(_) => ETHTOOL_A_HEADER_DEV_INDEX,
            Self::Flags(_) => ETHTOOL_A_HEADER_FLAGS,
            Self::Other(attribute) => attribute.kind(),
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::DevIndex(number) | Self::Flags(number) => fill(buffer, &number.to_ne_bytes()),
            Self::Other(attribute) => attribute.emit_value(buffer),
        }
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for Header {
    fn parse(buffer: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
        Ok(match buffer.kind() {
            ETHTOOL_A_HEADER_DEV_INDEX => Self::DevIndex(parse_u32(buffer.value())?),
            ETHTOOL_A_HEADER_FLAGS => Self::Flags(parse_u32(buffer.value())?),
            _ => Self::Other(DefaultNla::parse(buffer)?),
        })
    }
}

/// A feature in a bit set (ETHTOOL_A_BITSET_BITS_BIT).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FeatureBit {
    pub(super) name: String,
    pub(super) value: bool,
}

impl FeatureBit {
    fn plain(&self) -> DefaultNla {
        let mut name = self.name.as_bytes().to_vec();
        name.push(0);
        let mut attributes = vec![DefaultNla::new(ETHTOOL_A_BITSET_BIT_NAME, name)];
        let value = DefaultNla::new(ETHTOOL_A_BITSET_BIT_VALUE, Vec::new());
        attributes.extend(self.value.then_some(value));
        nest(ETHTOOL_A_BITSET_BITS_BIT, &attributes)
    }
}

impl Nla for FeatureBit {
    fn value_len(&self) -> usize {
        self.plain().value_len()
    }

    fn kind(&self) -> u16 {
        ETHTOOL_A_BITSET_BITS_BIT | NLA_F_NESTED
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        self.plain().emit_value(buffer);
    }
}

/// The bits that a bit set lists by name. Without a mask it lists those that are
/// set, and doesn't say so of each.
fn bits(value: &[u8]) -> Result<Vec<FeatureBit>, DecodeError> {
    let attributes: Vec<DefaultNla> = parse_all(value)?;
    let mut kinds = attributes.iter().map(Nla::kind);
    let all_are_set = kinds.any(|kind| kind == ETHTOOL_A_BITSET_NOMASK);
    let mut bits = Vec::new();
    for list in values(&attributes, ETHTOOL_A_BITSET_BITS) {
        for bit in values(&parse_all(&list)?, ETHTOOL_A_BITSET_BITS_BIT) {
            let parts = parse_all(&bit)?;
            let is_set = !values(&parts, ETHTOOL_A_BITSET_BIT_VALUE).is_empty();
            for name in values(&parts, ETHTOOL_A_BITSET_BIT_NAME) {
                bits.push(FeatureBit {
                    name: parse_string(&name)?,
                    value: all_are_set || is_set,
                });
            }
        }
    }
    Ok(bits)
}

/// The values of the attributes of a kind.
fn values(attributes: &[DefaultNla], kind: u16) -> Vec<Vec<u8>> {
    let is_it = |attribute: &&DefaultNla| attribute.kind() & !NLA_F_NESTED == kind;
    let found = attributes.iter().filter(is_it);
    found.map(emitted_value).collect()
}

fn emitted_value(attribute: &DefaultNla) -> Vec<u8> {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::nla::assert_round_trip;
    use crate::netlink::snapshot::bytes;

    #[test]
    fn a_change_is_laid_out_as_the_kernel_reads_it() {
        let message = FeaturesMessage::set(7, "rx-gro", true);
        let expected = [
            &[20, 0, 1, 0x80][..], // header
            &[8, 0, 1, 0, 7, 0, 0, 0],
            &[8, 0, 3, 0, 2, 0, 0, 0],
            &[28, 0, 3, 0x80], // wanted
            &[24, 0, 3, 0x80], // bits
            &[20, 0, 1, 0x80], // bit
            &[11, 0, 2, 0],
            b"rx-gro\0\0",
            &[4, 0, 3, 0],
        ];
        assert_eq!(bytes(&message), expected.concat());
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for on in [true, false] {
            let message = FeaturesMessage::set(7, "rx-gro", on);
            let header = GenlHeader {
                cmd: ETHTOOL_MSG_FEATURES_SET,
                version: ETHTOOL_GENL_VERSION,
            };
            let again = FeaturesMessage::parse_with_param(&bytes(&message), header).unwrap();
            assert_eq!(again, message);
        }
        let unknown = DefaultNla::new(99, vec![1, 2, 3]);
        assert_round_trip(&[Header::DevIndex(7), Header::Other(unknown.clone())]);
        let bit = |name: &str, value| FeatureBit {
            name: name.to_owned(),
            value,
        };
        assert_round_trip(&[
            FeaturesAttribute::Hw(vec![bit("a", true), bit("b", false)]),
            FeaturesAttribute::Active(Vec::new()),
            FeaturesAttribute::NoChange(vec![bit("a", true)]),
            FeaturesAttribute::Other(unknown),
        ]);
    }

    /// As the kernel answers.
    #[test]
    fn without_a_mask_all_that_are_listed_are_set() {
        let bit = FeatureBit {
            name: "tx-scatter-gather".to_owned(),
            value: false,
        };
        let no_mask = DefaultNla::new(ETHTOOL_A_BITSET_NOMASK, Vec::new());
        let list = nest(ETHTOOL_A_BITSET_BITS, &[bit]);
        let active = nest(ETHTOOL_A_FEATURES_ACTIVE, &[no_mask, list]);
        let read: Vec<FeaturesAttribute> = parse_all(&bytes(&active)).unwrap();
        let [FeaturesAttribute::Active(bits)] = read.as_slice() else {
            panic!("{read:?}");
        };
        assert!(bits[0].value && bits[0].name == "tx-scatter-gather");
    }
}
