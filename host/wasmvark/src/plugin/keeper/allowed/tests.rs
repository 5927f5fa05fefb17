use std::collections::BTreeMap;
use std::path::Path;

use policy::Grant;
use request::protocol::SetupDocument;
use request::{KeptNetwork, Network, Request};
use serde_json::{Value, json};
use services::dns::{DnsName, DnsRecord, Registration};
use types::{ContainerId, Digest};

use super::*;
use crate::plugin::{create, names, setup};

const CALLS: &str = r#"
"dns.register" = {}
"dhcp.lease" = {}
"firewall.trust" = { address = ["172.16.0.0/16"] }
"addresses.allocate-subnet" = {}
"#;

fn grant(calls: &str) -> Grant {
    let digest = Digest::of(&[]);
    let text = format!("driver = \"d\"\ndigest = \"{digest}\"\n[calls]\n{calls}");
    Grant::parse("d", Path::new("/grants/d.toml"), &text).unwrap()
}

fn request(network: &Value) -> Request {
    let document = json!({
        "container_id": "c1",
        "container_name": "web",
        "network": network,
        "network_options": {
            "interface_name": "eth0",
            "static_ips": ["10.88.0.2"],
            "aliases": ["www"],
        },
    });
    let document: SetupDocument = serde_json::from_value(document).unwrap();
    Request::resolve(&document).unwrap()
}

fn network() -> Value {
    json!({
        "name": "net", "id": "n1", "driver": "d", "dns_enabled": true,
        "subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}],
    })
}

fn record(container: &str) -> DnsRecord {
    DnsRecord {
        folder: "/run/aardvark-dns".into(),
        network: "net".to_owned(),
        internal: false,
        container: ContainerId::try_from(container.to_owned()).unwrap(),
    }
}

fn registration() -> Registration {
    Registration {
        record: record("c1"),
        listen: vec!["10.88.0.1".parse().unwrap()],
        forward_to: Vec::new(),
        addresses: vec!["10.88.0.2".parse().unwrap()],
        names: ["web", "www"]
            .map(|name| DnsName::parse(name).unwrap())
            .into(),
    }
}

fn names_of(calls: &str, network: &Value) -> Option<AllowedNames> {
    let names = engine::gate::Names {
        registration: Ok(Registration {
            listen: Vec::new(),
            ..registration()
        }),
        port: 53,
        is_installed: true,
    };
    AllowedNames::of(&grant(calls), &request(network), Some(&names))
}

fn lease_request(container: &str, netns: &str) -> LeaseRequest {
    LeaseRequest {
        host_link: "br0".parse().unwrap(),
        container_link: "eth0".parse().unwrap(),
        container_mac: "02:00:00:00:00:01".parse().unwrap(),
        domain: None,
        host_name: Some("web".to_owned()),
        netns: netns.into(),
        container: ContainerId::try_from(container.to_owned()).unwrap(),
    }
}

/// The tasks of a setup, whose journals have another container's changes.
fn of_setup() -> Allowed {
    let request = request(&network());
    Allowed {
        names: names_of(CALLS, &network()),
        client: Some(names::dhcp_client(&request, Path::new("/run/netns/x"))),
        authority: Some(Authority {
            grant: grant(CALLS),
            request: setup::reach(&request),
        }),
        journals: Some(request.key()),
        recorded: vec![
            Change::RegisterNames {
                record: record("c2"),
            },
            Change::LeaseAddress {
                request: lease_request("c2", "/run/netns/y"),
            },
            Change::TrustSource {
                source: "10.99.0.0/24".parse().unwrap(),
            },
        ],
        keeps_settings: true,
        ..Allowed::default()
    }
}

fn settings(path: &str, value: &str) -> Task {
    Task::KeepSettings(BTreeMap::from([(path.to_owned(), value.to_owned())]))
}

#[track_caller]
fn check(allowed: &Allowed, tasks: impl IntoIterator<Item = (Task, bool)>) {
    for (task, is_allowed) in tasks {
        let checked = allowed.check(&task);
        assert_eq!(checked.is_ok(), is_allowed, "{task}: {task:?}");
        if let Err(refused) = checked {
            assert!(refused.to_string().contains(&task.to_string()));
        }
    }
}

#[test]
fn only_the_containers_names_are_registered() {
    let with = |change: fn(&mut Registration)| {
        let mut registration = registration();
        change(&mut registration);
        Task::Register(registration)
    };
    let mut allowed = of_setup();
    let leased = || with(|it| it.addresses.push("192.0.2.7".parse().unwrap()));
    check(
        &allowed,
        [
            (with(|_| {}), true),
            (with(|it| it.listen.clear()), true),
            (
                with(|it| it.record.container = record("c2").container),
                false,
            ),
            (with(|it| it.record.folder = "/etc".into()), false),
            (with(|it| it.record.network = "other".to_owned()), false),
            (with(|it| it.record.internal = true), false),
            (
                with(|it| it.names.push(DnsName::parse("db").unwrap())),
                false,
            ),
            (
                with(|it| it.forward_to.push("192.0.2.1".parse().unwrap())),
                false,
            ),
            (
                with(|it| it.listen.push("192.0.2.1".parse().unwrap())),
                false,
            ),
            (with(|it| it.listen.push("0.0.0.0".parse().unwrap())), false),
            (with(|it| it.addresses.clear()), false),
            (leased(), false),
        ],
    );
    allowed.leased.push("192.0.2.7".parse().unwrap());
    check(&allowed, [(leased(), true)]);
    allowed.names = None;
    check(&allowed, [(with(|_| {}), false)]);
}

#[test]
fn a_server_listens_elsewhere_where_others_say_so() {
    let mut unmanaged = network();
    unmanaged["options"] = json!({"mode": "unmanaged"});
    let mut without_gateway = network();
    without_gateway["subnets"] = json!([{"subnet": "10.88.0.0/16"}]);
    let named = r#""dns.register" = { link = ["br0"] }"#;
    for (calls, network, listens) in [
        (CALLS, &network(), false),
        (CALLS, &unmanaged, true),
        (CALLS, &without_gateway, true),
        (named, &network(), true),
    ] {
        let names = names_of(calls, network).unwrap();
        let allows = |address: &str| {
            let listen = vec![address.parse().unwrap()];
            let registration = Registration {
                listen,
                ..registration()
            };
            names.allows(&registration, &[])
        };
        assert_eq!(allows("192.0.2.1"), listens, "{calls} {network}");
        for all in ["0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1"] {
            assert!(!allows(all), "{all}");
        }
    }
}

#[test]
fn names_need_a_line_of_the_grant() {
    assert!(names_of(r#""links.get" = {}"#, &network()).is_none());
}

#[test]
fn only_own_and_recorded_names_are_withdrawn() {
    check(
        &of_setup(),
        [("c1", true), ("c2", true), ("c3", false)]
            .map(|(container, allowed)| (Task::Withdraw(record(container)), allowed)),
    );
}

#[test]
fn only_the_container_gets_a_lease() {
    let with = |change: fn(&mut LeaseRequest)| {
        let mut request = lease_request("c1", "/run/netns/x");
        change(&mut request);
        request
    };
    let others = || lease_request("c2", "/run/netns/y");
    let mut allowed = of_setup();
    for (request, is_allowed) in [
        (with(|_| {}), true),
        (
            with(|it| it.container_mac = "02:00:00:00:00:02".parse().unwrap()),
            true,
        ),
        (with(|it| it.netns = "/proc/1/ns/net".into()), false),
        (with(|it| it.container = record("c3").container), false),
        (with(|it| it.host_name = Some("db".to_owned())), false),
        (with(|it| it.domain = Some("example".to_owned())), false),
    ] {
        let tasks = [Task::Lease(request.clone()), Task::Release(request)];
        check(&allowed, tasks.map(|task| (task, is_allowed)));
    }
    check(
        &allowed,
        [
            (Task::Lease(others()), false),
            (Task::Release(others()), true),
        ],
    );
    allowed.client = None;
    check(&allowed, [(Task::Lease(with(|_| {})), false)]);
}

#[test]
fn only_the_networks_and_recorded_subnets_are_trusted() {
    let mut allowed = of_setup();
    for (subnet, is_allowed) in [
        ("10.88.0.0/16", true),
        ("10.88.0.2/32", true),
        ("172.16.1.0/24", true),
        ("10.99.0.0/24", true),
        ("10.99.0.0/16", false),
        ("0.0.0.0/0", false),
        ("192.0.2.0/24", false),
    ] {
        let subnet = subnet.parse().unwrap();
        let tasks = [
            Task::IsTrusted(subnet),
            Task::Trust(subnet),
            Task::Distrust(subnet),
        ];
        check(&allowed, tasks.map(|task| (task, is_allowed)));
    }
    allowed.authority = None;
    check(
        &allowed,
        [(Task::Trust("10.88.0.0/16".parse().unwrap()), false)],
    );
}

#[test]
fn only_settings_of_the_network_are_kept() {
    let many = (0..2000).map(|number| (format!("/proc/sys/net/{number}"), "1".to_owned()));
    let mut allowed = of_setup();
    check(
        &allowed,
        [
            (settings("/proc/sys/net/ipv4/ip_forward", "1"), true),
            (
                settings("/proc/sys/net/ipv4/conf/a..b/rp_filter", "2"),
                true,
            ),
            (Task::KeepSettings(BTreeMap::new()), true),
            (settings("/proc/sys/kernel/core_pattern", "|/bin/sh"), false),
            (settings("/proc/sys/net/../kernel/core_pattern", "x"), false),
            (settings("kernel.core_pattern", "x"), false),
            (settings("/proc/sys/net/a\nkernel/core_pattern", "x"), false),
            (
                settings("/proc/sys/net/ipv4/ip_forward", "1\nkernel.x = 1"),
                false,
            ),
            (
                settings("/proc/sys/net/ipv4/ip_forward", &"1".repeat(5000)),
                false,
            ),
            (Task::KeepSettings(many.collect()), false),
        ],
    );
    allowed.keeps_settings = false;
    check(&allowed, [(settings("/proc/sys/net/x", "1"), false)]);
}

fn of_create(calls: &str, network: &Value) -> Allowed {
    let users = serde_json::from_value(network.clone()).unwrap();
    let id = Network::resolve(&users).unwrap().id;
    Allowed {
        network: Some(NewNetwork::new(&grant(calls), &users, &id)),
        ..Allowed::default()
    }
}

fn kept(network: &Value) -> KeptNetwork {
    let network = serde_json::from_value(network.clone()).unwrap();
    KeptNetwork {
        network,
        chosen: None,
    }
}

#[test]
fn only_the_users_network_is_kept() {
    let allowed = of_create(CALLS, &network());
    let with = |change: fn(&mut KeptNetwork)| {
        let mut kept = kept(&network());
        change(&mut kept);
        Task::KeepNetwork(Box::new(kept))
    };
    check(
        &allowed,
        [
            (with(|_| {}), true),
            (
                with(|it| {
                    it.chosen = create::host_names(&"n1".to_owned().try_into().unwrap()).last();
                }),
                true,
            ),
            (with(|it| it.chosen = Some("eth0".parse().unwrap())), false),
            (with(|it| it.network.id = "n2".to_owned()), false),
            (with(|it| it.network.name = "other".to_owned()), false),
            (
                with(|it| it.network.network_interface = Some("eth0".to_owned())),
                false,
            ),
            (
                with(|it| {
                    it.network
                        .options
                        .extend([("parent".to_owned(), "eth0".to_owned())]);
                }),
                false,
            ),
            (with(|it| it.network.subnets.clear()), false),
        ],
    );
    check(&of_setup(), [(with(|_| {}), false)]);
}

#[test]
fn only_the_host_gives_a_kept_network_subnets() {
    let mut without = network();
    without["subnets"] = json!([]);
    let task = |subnets: &Value| {
        let mut network = network();
        network["subnets"] = subnets.clone();
        Task::KeepNetwork(Box::new(kept(&network)))
    };
    let v4 = json!([{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1"}]);
    let both = json!([{"subnet": "10.89.0.0/24"}, {"subnet": "fd00::/64", "gateway": "fd00::1"}]);
    let two = json!([{"subnet": "10.89.0.0/24"}, {"subnet": "10.90.0.0/24"}]);
    let gateway = json!([{"subnet": "10.89.0.0/24", "gateway": "192.0.2.1"}]);
    check(
        &of_create(CALLS, &without),
        [(&v4, true), (&both, true), (&two, false), (&gateway, false)]
            .map(|(subnets, allowed)| (task(subnets), allowed)),
    );
    check(&of_create("", &without), [(task(&v4), false)]);
}

#[test]
fn each_run_has_its_own_tasks() {
    let end = || Task::EndTeardown {
        forgets: true,
        publishes: true,
    };
    let of_teardown = Allowed {
        is_teardown: true,
        ..Allowed::default()
    };
    check(
        &of_setup(),
        [(Task::Begin, true), (Task::IsStrict, true), (end(), false)],
    );
    check(&of_teardown, [(Task::Begin, false), (end(), true)]);
    check(
        &of_create("", &network()),
        [(Task::Begin, false), (end(), false)],
    );
}
