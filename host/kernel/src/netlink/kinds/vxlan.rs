//! VXLAN links.

use std::net::IpAddr;

use rtnetlink::{LinkMessageBuilder, LinkVxlan};
use types::LinkName;

use crate::Vxlan;

pub(super) fn build(name: &LinkName, vxlan: &Vxlan) -> LinkMessageBuilder<LinkVxlan> {
    let mut link = LinkVxlan::new(name.as_str(), vxlan.id)
        .port(vxlan.port)
        .learning(vxlan.learning);
    if let Some(parent) = vxlan.parent {
        link = link.dev(parent.index);
    }
    // The kernel has one attribute for the other end and for groups.
    link = match vxlan.remote {
        Some(IpAddr::V4(remote)) => link.remote(remote),
        Some(IpAddr::V6(remote)) => link.remote6(remote),
        None => link,
    };
    link = match vxlan.local {
        Some(IpAddr::V4(local)) => link.local(local),
        Some(IpAddr::V6(local)) => link.local6(local),
        None => link,
    };
    match vxlan.ttl {
        Some(ttl) => link.ttl(ttl),
        None => link,
    }
}
