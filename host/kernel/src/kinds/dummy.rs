//! Dummy links, which drop all packets.

use netlink_packet_route::link::LinkMessage;
use rtnetlink::{LinkDummy, LinkMessageBuilder};
use types::LinkName;

use super::{Encode, Kind, Rest};

/// A dummy link. It has no properties of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dummy;

impl Kind for Dummy {
    fn name(&self) -> &'static str {
        "dummy"
    }
}

impl Encode for Dummy {
    fn message(&self, name: &LinkName, rest: &Rest) -> Option<LinkMessage> {
        Some(rest.finish(LinkMessageBuilder::<LinkDummy>::new(name.as_str())))
    }
}
