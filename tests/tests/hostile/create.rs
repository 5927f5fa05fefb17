//! Attacks by the return values of `create`. They never count as the user's request,
//! and need a line of the grant to have any effect. `create` itself changes nothing.

use wasmvark_tests::connection::Connection;

use crate::attack::{Attack, Does, Granted, plain, without_parent};

const fn wants(name: &'static str, script: &'static str) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("macvlan"),
        asked: plain,
        does: Does::Create(script),
        says: &[],
    }
}

const fn wants_line(
    name: &'static str,
    script: &'static str,
    line: &'static [&'static str],
) -> Attack {
    Attack {
        name,
        grant: Granted::Shipped("macvlan"),
        asked: plain,
        does: Does::Create(script),
        says: line,
    }
}

/// All that could change the host is granted, and `create` isn't the time.
const fn calls(name: &'static str, script: &'static str, says: &'static [&'static str]) -> Attack {
    Attack {
        name,
        grant: Granted::Calls(&[
            ("addresses.add", r#"{ address = "0.0.0.0/0" }"#),
            ("firewall.masquerade", r#"{ address = "0.0.0.0/0" }"#),
            ("links.create-dummy", "{}"),
            ("links.get", r#"{ link = "*" }"#),
            ("links.set-down", r#"{ link = "*" }"#),
            ("routes.add", r#"{ destination = "0.0.0.0/0" }"#),
            ("sysctl.set", r#"{ key = "net.ipv4.ip_forward" }"#),
        ]),
        asked: plain,
        does: Does::Create(script),
        says,
    }
}

fn internal(connection: Connection) -> Connection {
    connection.network("internal", true)
}

fn with_option(connection: Connection) -> Connection {
    connection.option("private_key_secret", "users-key")
}

pub(crate) const ATTACKS: &[Attack] = &[
    wants_line(
        "another parent",
        "change network-interface x0",
        &["create.parent", "denied"],
    ),
    Attack {
        name: "a parent where the user named none",
        grant: Granted::Shipped("host-device"),
        asked: without_parent,
        does: Does::Create("change network-interface p0"),
        says: &["create.parent", "denied"],
    },
    wants_line(
        "another parent by a patch",
        r#"change {"network_interface":"x0"}"#,
        &["create.parent", "denied"],
    ),
    wants_line(
        "no parent",
        r#"change {"network_interface":null}"#,
        &["create.parent", "denied"],
    ),
    wants(
        "another parent, in Podman's spelling",
        r#"change {"Network_Interface":"x0"}"#,
    ),
    wants(
        "another parent, in capitals",
        r#"change {"NETWORK_INTERFACE":"x0"}"#,
    ),
    wants(
        "another parent, with the Kelvin sign",
        "change {\"networ\u{212a}_interface\":\"x0\"}",
    ),
    wants(
        "subnets, with a long s",
        "change {\"\u{17f}ubnets\":[{\"subnet\":\"203.0.113.0/24\"}]}",
    ),
    wants("a key twice", r#"change {"labels":{},"labels":{"a":"b"}}"#),
    wants(
        "a key twice, once escaped",
        r#"change {"labels":{},"label\u0073":{"a":"b"}}"#,
    ),
    wants(
        "an address manager, in another spelling",
        r#"change {"ipam_options":{"Driver":"none"}}"#,
    ),
    wants(
        "a subnet's key in another spelling",
        r#"change {"subnets":[{"subnet":"10.88.0.0/16","Gateway":"10.88.0.66"}]}"#,
    ),
    wants("a key that nobody knows", r#"change {"evil":1}"#),
    wants("another name", r#"change {"name":"evil"}"#),
    wants("another id", r#"change {"id":"00"}"#),
    wants("another driver", r#"change {"driver":"bridge"}"#),
    Attack {
        name: "an internal network that isn't any more",
        grant: Granted::Shipped("macvlan"),
        asked: internal,
        does: Does::Create(r#"change {"internal":false}"#),
        says: &[],
    },
    wants(
        "another day",
        r#"change {"created":"2000-01-01T00:00:00Z"}"#,
    ),
    wants("no object at all", "change merge-patch []"),
    wants("no JSON at all", "change merge-patch {"),
    wants_line(
        "another subnet",
        r#"change {"subnets":[{"subnet":"203.0.113.0/24","gateway":"203.0.113.1"}]}"#,
        &["create.subnets", "denied"],
    ),
    wants_line(
        "another subnet beside the user's",
        r#"change {"subnets":[{"subnet":"10.88.0.0/16","gateway":"10.88.0.1"},{"subnet":"203.0.113.0/24"}]}"#,
        &["create.subnets", "denied"],
    ),
    wants_line(
        "another gateway",
        r#"change {"subnets":[{"subnet":"10.88.0.0/16","gateway":"10.88.0.66"}]}"#,
        &["create.subnets", "denied"],
    ),
    wants_line(
        "a route",
        r#"change {"routes":[{"destination":"203.0.113.0/24","gateway":"10.88.0.1"}]}"#,
        &["create.routes", "denied"],
    ),
    wants_line(
        "a name server",
        r#"change {"network_dns_servers":["203.0.113.66"]}"#,
        &["create.name-servers", "denied"],
    ),
    wants_line(
        "a parent as an option",
        "change set-option parent x0",
        &["denied"],
    ),
    wants_line(
        "a parent by its MAC address",
        "change set-option hwaddr 02:00:00:00:00:f0",
        &["more than one way"],
    ),
    wants_line(
        "a parent by its PCI address",
        "change set-option pci 0000:00:03.0",
        &["more than one way"],
    ),
    wants_line(
        "a parent by its path",
        "change set-option kernelpath /sys/devices/virtual/net/x0",
        &["more than one way"],
    ),
    wants_line(
        "a VRF",
        "change set-option vrf x0",
        &["create.vrf", "denied"],
    ),
    wants_line(
        "a name on the host",
        "change set-option host_interface_name x1",
        &["create.host-interface-name", "denied"],
    ),
    wants_line(
        "an address of the host's",
        "change set-option outbound_addr4 10.88.0.250",
        &["create.outbound-address", "denied"],
    ),
    wants_line(
        "a secret",
        "change set-option peer_secret others-key",
        &["create.secret", "denied"],
    ),
    wants_line(
        "a secret by a patch",
        r#"change {"options":{"peer_secret":"others-key"}}"#,
        &["create.secret", "denied"],
    ),
    Attack {
        name: "another secret in place of the user's",
        grant: Granted::Shipped("wireguard"),
        asked: with_option,
        does: Does::Create("change set-option private_key_secret others-key"),
        says: &["create.secret", "denied"],
    },
    calls("makes a link", "links.create-dummy host -", &[]),
    calls(
        "takes a link down",
        "links.get host p0; links.set-down 0",
        &[],
    ),
    calls(
        "gives a link an address",
        "links.get host p0; addresses.add 0 10.88.0.99/16",
        &[],
    ),
    calls(
        "makes a route",
        "routes.add host 198.51.100.0/24 unicast gateway=10.88.0.1",
        &[],
    ),
    calls(
        "sets a setting",
        "sysctl.set host net.ipv4.ip_forward 1",
        &[],
    ),
    calls("masquerades", "firewall.masquerade 10.88.0.0/16", &[]),
    calls("loops", "loop", &["deadline-ms"]),
    calls("traps", "trap", &["crashed"]),
];
