//! The frame around a message: a byte that says whether it is compressed, and its
//! length in four bytes.

use prost::bytes::{BufMut, Bytes, BytesMut};

use super::Failure;

/// The length of a frame's head, in bytes.
const HEAD: usize = 5;
/// The most bytes of a message. A DHCP message fits into a jumbo frame of 9000 bytes,
/// and its addresses of 4 bytes become texts of at most 17 bytes.
pub(in crate::dhcp) const MESSAGE_MAX: usize = 64 * 1024;
/// The most bytes of a frame.
pub(super) const FRAME_MAX: usize = HEAD + MESSAGE_MAX;

/// Puts a message into a frame.
pub(super) fn wrap(message: &[u8]) -> Result<Bytes, Failure> {
    let length = u32::try_from(message.len())
        .map_err(|_| Failure::Malformed("the request is too long".to_owned()))?;
    let mut frame = BytesMut::with_capacity(HEAD.saturating_add(message.len()));
    frame.put_u8(0);
    frame.put_u32(length);
    frame.put_slice(message);
    Ok(frame.freeze())
}

/// Takes the only message out of its frame.
pub(super) fn unwrap(frame: &[u8]) -> Result<&[u8], Failure> {
    let Some((&[compressed, a, b, c, d], message)) = frame.split_first_chunk::<HEAD>() else {
        return Err(Failure::Malformed("no message".to_owned()));
    };
    if compressed != 0 {
        return Err(Failure::Malformed("a compressed message".to_owned()));
    }
    if usize::try_from(u32::from_be_bytes([a, b, c, d])) != Ok(message.len()) {
        return Err(Failure::Malformed(
            "a message of the wrong length".to_owned(),
        ));
    }
    Ok(message)
}
