//! Bridges.

use rtnetlink::{LinkBridge, LinkMessageBuilder};
use types::LinkName;

pub(super) fn build(name: &LinkName, vlan_filtering: bool) -> LinkMessageBuilder<LinkBridge> {
    // `LinkBridge::new` would set it up.
    let message = LinkMessageBuilder::<LinkBridge>::new(name.as_str());
    match vlan_filtering {
        true => message.vlan_filtering(true),
        false => message,
    }
}
