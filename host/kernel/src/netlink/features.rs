//! The features of links, over the family `ethtool` (the names and numbers are
//! those of `linux/ethtool_netlink.h`; `Documentation/networking/
//! ethtool-netlink.rst` describes the messages).

use netlink_packet_generic::{GenlFamily, GenlHeader};
use nix::errno::Errno;
use rtnetlink::packet_core::{
    DecodeError, DefaultNla, Emitable, NLA_F_NESTED, NLM_F_ACK, NlasIterator,
    ParseableParametrized, parse_string,
};

use super::Netlink;
use crate::{Feature, KernelError, LinkId, Offloads, OffloadsRead};

/// ETHTOOL_MSG_FEATURES_GET and its answer, ETHTOOL_MSG_FEATURES_GET_REPLY.
const GET: u8 = 11;
/// ETHTOOL_MSG_FEATURES_SET.
const SET: u8 = 12;
/// ETHTOOL_GENL_VERSION.
const VERSION: u8 = 1;

/// ETHTOOL_A_FEATURES_HEADER.
const HEADER: u16 = 1;
/// ETHTOOL_A_FEATURES_HW: what can be changed; the list has every feature.
const HW: u16 = 2;
/// ETHTOOL_A_FEATURES_WANTED: what was asked for.
const WANTED: u16 = 3;
/// ETHTOOL_A_FEATURES_ACTIVE: what is on.
const ACTIVE: u16 = 4;
/// ETHTOOL_A_FEATURES_NOCHANGE: what never changes.
const NOCHANGE: u16 = 5;

/// ETHTOOL_A_HEADER_DEV_INDEX.
const DEV_INDEX: u16 = 1;
/// ETHTOOL_A_HEADER_FLAGS.
const FLAGS: u16 = 3;
/// ETHTOOL_FLAG_OMIT_REPLY: the acknowledgement is enough.
const OMIT_REPLY: u32 = 2;

/// ETHTOOL_A_BITSET_BITS.
const BITS: u16 = 3;
/// ETHTOOL_A_BITSET_BITS_BIT.
const BIT: u16 = 1;
/// ETHTOOL_A_BITSET_BIT_NAME.
const BIT_NAME: u16 = 2;
/// ETHTOOL_A_BITSET_BIT_VALUE: there when the bit is set.
const BIT_VALUE: u16 = 3;

/// A message about the features of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    command: u8,
    attributes: Vec<u8>,
}

impl Message {
    fn get(link: u32) -> Self {
        Self {
            command: GET,
            attributes: nest(HEADER, &[attribute(DEV_INDEX, &link.to_ne_bytes())]),
        }
    }

    /// Only the features that are named change.
    fn set(link: u32, feature: &str, on: bool) -> Self {
        let index = attribute(DEV_INDEX, &link.to_ne_bytes());
        let flags = attribute(FLAGS, &OMIT_REPLY.to_ne_bytes());
        let mut name = feature.as_bytes().to_vec();
        name.push(0);
        let mut bit = vec![attribute(BIT_NAME, &name)];
        bit.extend(on.then(|| attribute(BIT_VALUE, &[])));
        let bits = nest(BITS, &[nest(BIT, &bit)]);
        Self {
            command: SET,
            attributes: [nest(HEADER, &[index, flags]), nest(WANTED, &[bits])].concat(),
        }
    }

    /// The features in an answer.
    fn features(&self) -> Result<Vec<Feature>, DecodeError> {
        let set = |kind: u16| -> Result<Vec<String>, DecodeError> {
            let bits = bits(&self.attributes, kind)?.into_iter();
            Ok(bits.filter_map(|(name, on)| on.then_some(name)).collect())
        };
        let (wanted, active, fixed) = (set(WANTED)?, set(ACTIVE)?, set(NOCHANGE)?);
        let all = bits(&self.attributes, HW)?.into_iter();
        Ok(all
            .map(|(name, changeable)| Feature {
                on: active.contains(&name),
                wanted: wanted.contains(&name),
                changeable: changeable && !fixed.contains(&name),
                name,
            })
            .collect())
    }
}

impl GenlFamily for Message {
    fn family_name() -> &'static str {
        "ethtool"
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Message {
    fn buffer_len(&self) -> usize {
        self.attributes.len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        for (to, from) in buffer.iter_mut().zip(&self.attributes) {
            *to = *from;
        }
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Message {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        Ok(Self {
            command: header.cmd,
            attributes: bytes.to_vec(),
        })
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let attribute = DefaultNla::new(kind, value.to_vec());
    let mut bytes = vec![0; attribute.buffer_len()];
    attribute.emit(&mut bytes);
    bytes
}

fn nest(kind: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    attribute(kind | NLA_F_NESTED, &attributes.concat())
}

/// The values of the attributes of a kind.
fn values(attributes: &[u8], kind: u16) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut values = Vec::new();
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute?;
        if attribute.kind() == kind {
            values.push(attribute.value().to_vec());
        }
    }
    Ok(values)
}

/// The bits that a bit set lists, by name, and whether each is set. One without
/// a mask lists those that are set and doesn't say so of each.
fn bits(attributes: &[u8], kind: u16) -> Result<Vec<(String, bool)>, DecodeError> {
    /// ETHTOOL_A_BITSET_NOMASK.
    const NOMASK: u16 = 1;
    let mut all = Vec::new();
    for set in values(attributes, kind)? {
        let all_are_set = !values(&set, NOMASK)?.is_empty();
        for bits in values(&set, BITS)? {
            for bit in values(&bits, BIT)? {
                let is_set = all_are_set || !values(&bit, BIT_VALUE)?.is_empty();
                for name in values(&bit, BIT_NAME)? {
                    all.push((parse_string(&name)?, is_set));
                }
            }
        }
    }
    Ok(all)
}

impl OffloadsRead for Netlink {
    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        let answers = self.generic(link.namespace, &Message::get(link.index), 0)?;
        let answer = answers.first().ok_or(Errno::EOPNOTSUPP)?;
        answer
            .features()
            .map_err(|error| KernelError::Netlink(error.to_string()))
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        find(self.features(link)?, name)
    }
}

impl Offloads for Netlink {
    fn set_feature(&mut self, link: LinkId, feature: &str, on: bool) -> Result<(), KernelError> {
        let before = find(self.features(link)?, feature)?;
        if before.on == on && (before.wanted == on || !before.changeable) {
            return Ok(());
        }
        if !before.changeable {
            return Err(refused(feature, "this link doesn't let it be changed"));
        }
        self.want_feature(link, feature, on)?;
        let now = self
            .features(link)
            .and_then(|features| find(features, feature))
            .map_err(KernelError::unfinished)?;
        if now.on == on {
            return Ok(());
        }
        self.want_feature(link, feature, before.wanted)
            .map_err(KernelError::unfinished)?;
        let needs = "the kernel doesn't change it as the link's other features are now";
        Err(refused(feature, needs))
    }

    fn want_feature(&mut self, link: LinkId, feature: &str, on: bool) -> Result<(), KernelError> {
        let message = Message::set(link.index, feature, on);
        self.generic(link.namespace, &message, NLM_F_ACK).map(drop)
    }
}

/// A feature by its name.
pub fn find(features: Vec<Feature>, name: &str) -> Result<Feature, KernelError> {
    let mut features = features.into_iter();
    features
        .find(|feature| feature.name == name)
        .ok_or_else(|| {
            let text = format!("there is no feature {name:?}; `ethtool -k` shows which there are");
            KernelError::NotFound(text)
        })
}

fn refused(feature: &str, why: &str) -> KernelError {
    KernelError::Refused {
        errno: Errno::EOPNOTSUPP,
        text: format!("{feature}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_laid_out_as_the_kernel_reads_it() {
        let message = Message::set(7, "rx-gro", true);
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
        assert_eq!(message.attributes, expected.concat());
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for on in [true, false] {
            let message = Message::set(7, "rx-gro", on);
            let mut bytes = vec![0; message.buffer_len()];
            message.emit(&mut bytes);
            let header = GenlHeader {
                cmd: SET,
                version: VERSION,
            };
            let again = Message::parse_with_param(&bytes, header).unwrap();
            assert_eq!(again, message);
            let wanted = bits(&again.attributes, WANTED).unwrap();
            assert_eq!(wanted, [("rx-gro".to_owned(), on)]);
        }
    }

    #[test]
    fn an_answer_says_of_each_feature_what_it_is() {
        let bit = |name: &str, set: bool| {
            let name = [name.as_bytes(), &[0]].concat();
            let mut bit = vec![attribute(BIT_NAME, &name)];
            bit.extend(set.then(|| attribute(BIT_VALUE, &[])));
            nest(BIT, &bit)
        };
        let set = |kind: u16, names: &[&str]| {
            let bits: Vec<_> = names.iter().map(|name| bit(name, false)).collect();
            nest(kind, &[attribute(1, &[]), nest(BITS, &bits)])
        };
        let all = [bit("a", true), bit("b", true), bit("c", false)];
        let answer = Message {
            command: GET,
            attributes: [
                nest(HW, &[nest(BITS, &all)]),
                set(WANTED, &["a"]),
                set(ACTIVE, &["a", "c"]),
                set(NOCHANGE, &["b"]),
            ]
            .concat(),
        };
        let feature = |name: &str, on, wanted, changeable| Feature {
            name: name.to_owned(),
            on,
            wanted,
            changeable,
        };
        let expected = [
            feature("a", true, true, true),
            feature("b", false, false, false),
            feature("c", true, false, false),
        ];
        assert_eq!(answer.features().unwrap(), expected);
    }
}
