//! Intermediate functional blocks (IFBs): links through which received packets
//! are redirected, to be shaped.

use netlink_packet_route::link::LinkMessage;
use rtnetlink::{LinkIfb, LinkMessageBuilder};
use types::LinkName;

use super::{Encode, Kind, Rest};

/// The length of the transmit queue, in packets (TX_Q_LIMIT in `ifb.c`).
const QUEUE_LENGTH: u32 = 32;

/// An IFB. It has no properties of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ifb;

impl Kind for Ifb {
    fn name(&self) -> &'static str {
        "ifb"
    }

    fn tx_queue_length(&self) -> u32 {
        QUEUE_LENGTH
    }
}

impl Encode for Ifb {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        Some(rest.finish(LinkMessageBuilder::<LinkIfb>::new(name.as_str())))
    }
}
