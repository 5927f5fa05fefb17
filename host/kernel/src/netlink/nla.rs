//! Attributes that the crates of rust-netlink lack, in the style of those that
//! they have: a type for each, read and written by their traits. `upstream/` has
//! them as changes to the crates.

use rtnetlink::packet_core::{
    DecodeError, DefaultNla, Emitable, NLA_F_NESTED, Nla, NlaBuffer, NlasIterator, Parseable,
};

/// Writes a value to where the crates have made room for it.
pub(super) fn fill(buffer: &mut [u8], value: &[u8]) {
    for (to, from) in buffer.iter_mut().zip(value) {
        *to = *from;
    }
}

/// An attribute in the form that the crates' messages have for those that they
/// don't know.
pub(super) fn plain(attribute: &impl Nla) -> DefaultNla {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    DefaultNla::new(attribute.kind(), value)
}

/// An attribute that consists of others.
pub(super) fn nest<T: Nla>(kind: u16, attributes: &[T]) -> DefaultNla {
    let mut value = vec![0; attributes.buffer_len()];
    attributes.emit(&mut value);
    DefaultNla::new(kind | NLA_F_NESTED, value)
}

/// Reads the attributes that another one, or a message, consists of.
pub(super) fn parse_all<T>(value: &[u8]) -> Result<Vec<T>, DecodeError>
where
    T: for<'a> Parseable<NlaBuffer<&'a [u8]>>,
{
    NlasIterator::new(value)
        .map(|attribute| T::parse(&attribute?))
        .collect()
}

/// The fields of a structure, in their order.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    /// The next ones.
    pub(super) fn next<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (first, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| DecodeError::buffer_too_small(self.0.len(), N))?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number of 32 bits in the order of the machine.
    pub(super) fn number(&mut self) -> Result<u32, DecodeError> {
        self.next().map(u32::from_ne_bytes)
    }
}

/// Writes attributes and reads them back.
#[cfg(test)]
#[track_caller]
pub(super) fn assert_round_trip<T>(attributes: &[T]) -> Vec<u8>
where
    T: Nla + std::fmt::Debug + PartialEq + for<'a> Parseable<NlaBuffer<&'a [u8]>>,
{
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    assert_eq!(parse_all::<T>(&bytes).unwrap(), attributes);
    bytes
}
