//! Intermediate functional blocks: links that incoming packets are sent through
//! to be shaped.

use netlink_packet_route::link::LinkMessage;
use rtnetlink::{LinkIfb, LinkMessageBuilder};
use types::LinkName;

use super::{Encode, Kind, Rest};

/// TX_Q_LIMIT of `ifb.c`.
const QUEUE_LENGTH: u32 = 32;

/// An IFB has nothing of its own.
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
