//! Kinds with little or nothing of their own.

use rtnetlink::{LinkDummy, LinkIfb, LinkMessageBuilder, LinkVrf, LinkWireguard};
use types::LinkName;

pub(super) fn dummy(name: &LinkName) -> LinkMessageBuilder<LinkDummy> {
    LinkMessageBuilder::<LinkDummy>::new(name.as_str())
}

pub(super) fn ifb(name: &LinkName) -> LinkMessageBuilder<LinkIfb> {
    LinkMessageBuilder::<LinkIfb>::new(name.as_str())
}

pub(super) fn vrf(name: &LinkName, table: u32) -> LinkMessageBuilder<LinkVrf> {
    LinkVrf::new(name.as_str(), table)
}

pub(super) fn wireguard(name: &LinkName) -> LinkMessageBuilder<LinkWireguard> {
    LinkMessageBuilder::<LinkWireguard>::new(name.as_str())
}
