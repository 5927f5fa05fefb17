//! Bridges.

use rtnetlink::{LinkBridge, LinkMessageBuilder};

use crate::net::LinkName;

pub(super) fn build(name: &LinkName) -> LinkMessageBuilder<LinkBridge> {
    // `LinkBridge::new` would set it up.
    LinkMessageBuilder::<LinkBridge>::new(name.as_str())
}
