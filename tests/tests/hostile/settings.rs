//! Kernel settings.

use crate::attack::{Attack, Does, Granted, plain};

const fn shipped(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("macvlan"),
        asked: plain,
        does: Does::Setup(script),
        says: &["sysctl."],
    }
}

/// After the container's link is made.
macro_rules! container {
    ($name:literal, $script:literal) => {
        shipped(
            $name,
            concat!(
                "links.get host p0; links.create-macvlan container eth0 0 bridge; ",
                $script
            ),
        )
    };
}

pub(crate) const ATTACKS: &[Attack] = &[
    shipped("the host forwards", "sysctl.set host net.ipv4.ip_forward 1"),
    shipped(
        "the host forwards, by its call",
        "sysctl.enable-ip-forward host ipv4",
    ),
    shipped(
        "the parent answers for others",
        "sysctl.set host net.ipv4.conf.p0.proxy_arp 1",
    ),
    shipped(
        "the parent routes loopback addresses",
        "sysctl.set host net.ipv4.conf.p0.route_localnet 1",
    ),
    shipped(
        "all links route loopback addresses",
        "sysctl.set host net.ipv4.conf.all.route_localnet 1",
    ),
    shipped(
        "new links take false senders",
        "sysctl.set host net.ipv4.conf.default.rp_filter 2",
    ),
    shipped(
        "the host's ports",
        "sysctl.set host net.ipv4.ip_unprivileged_port_start 0",
    ),
    shipped(
        "out of net, by dots",
        "sysctl.set host net.ipv4.conf.../../kernel/hostname evil",
    ),
    shipped(
        "out of net, by slashes",
        "sysctl.set host net/ipv4/../../kernel/core_pattern evil",
    ),
    shipped(
        "of another kind",
        "sysctl.set container kernel.core_pattern evil",
    ),
    container!(
        "the container routes loopback addresses",
        "sysctl.set container net.ipv4.conf.eth0.route_localnet 1"
    ),
    container!(
        "the container's link answers for others",
        "sysctl.set container net.ipv4.conf.eth0.proxy_arp 1"
    ),
    container!(
        "the container's link answers for others of IPv6",
        "sysctl.set container net.ipv6.conf.eth0.proxy_ndp 1"
    ),
    container!(
        "the container's link takes its own senders",
        "sysctl.set container net.ipv4.conf.eth0.accept_local 1"
    ),
    container!(
        "the container's link forwards",
        "sysctl.set container net.ipv4.conf.eth0.forwarding 1"
    ),
    container!(
        "the container's link forwards IPv6",
        "sysctl.set container net.ipv6.conf.eth0.forwarding 1"
    ),
    Attack {
        name: "the parent answers for others, by its call",
        grant: Granted::Calls(&[("links.get", "{}"), ("sysctl.set-proxy-arp", "{}")]),
        asked: plain,
        does: Does::Setup("links.get host p0; sysctl.set-proxy-arp 0 on"),
        says: &["sysctl.set-proxy-arp", "denied"],
    },
    Attack {
        name: "the host's end of ptp answers for others",
        grant: Granted::Shipped("ptp"),
        asked: plain,
        does: Does::Setup("links.create-veth -; sysctl.set-proxy-arp 1 on"),
        says: &["sysctl.set-proxy-arp", "denied"],
    },
    Attack {
        name: "the container's link in place of the host's",
        grant: Granted::Shipped("macvlan"),
        asked: plain,
        does: Does::Setup(MAKE_THEN_HOST),
        says: &["sysctl.set", "denied"],
    },
];

/// The host has a link of that name in other runs.
const MAKE_THEN_HOST: &str = "links.get host p0; links.create-macvlan container eth0 0 bridge; \
     sysctl.set host net.ipv4.conf.eth0.arp_ignore 1";
