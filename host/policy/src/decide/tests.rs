//! Tests of the four rules, one by one.

mod host;

use std::path::Path;

use types::Digest;
use types::{
    IpVersion, LinkName, LinkProperty, Namespace, NumberRange, Port, PortRange, Protocol, Route,
    RouteKind, Rule, SettingKey, VfChange, VfVlan, VfWish, WishedVf,
};

use super::*;

fn authority(calls: &str) -> Authority {
    let text = format!(
        "driver = \"d\"\ndigest = \"{}\"\n[calls]\n{calls}",
        Digest::of(b"")
    );
    Authority {
        grant: Grant::parse("d", Path::new("d.toml"), &text).unwrap(),
        request: RequestReach {
            parent: Some("p0".parse().unwrap()),
            default_parent: None,
            mode: None,
            flag: None,
            parent_property: None,
            interface_name: Some("eth0".parse().unwrap()),
            host_interface_name: Some("veth0".parse().unwrap()),
            vrf: Some("blue".parse().unwrap()),
            ndp_proxy: Some("wan0".parse().unwrap()),
            container_vrf: None,
            addresses: vec!["10.0.0.2/24".parse().unwrap()],
            network: "n".to_owned(),
            container: "c".to_owned(),
            gateways: vec!["10.0.0.1/24".parse().unwrap()],
            subnets: vec!["10.0.0.0/24".parse().unwrap()],
            routes: vec![route("0.0.0.0/0", Some("10.0.0.1"))],
            secrets: vec!["named".to_owned()],
            outbound: vec!["192.0.2.1".parse().unwrap()],
            ports: PortRange::fold(&[8080, 8081].map(|port| Port {
                host_address: None,
                host_port: port,
                container_port: port - 8000,
                protocol: Protocol::Tcp,
            })),
            vlans: vec![NumberRange::new(10_u16, 20_u16).unwrap()],
            vnis: vec![7],
            settings: vec!["net.ipv4.conf.eth0.proxy_arp".parse().unwrap()],
            name_servers: vec!["192.0.2.53".parse().unwrap()],
            ..RequestReach::default()
        },
    }
}

/// Returns the lines that grant all calls without a reach.
fn all_calls() -> String {
    let line = |call: &Call| format!("\"{call}\" = {{}}\n");
    Call::ALL.iter().map(line).collect()
}

fn route(destination: &str, gateway: Option<&str>) -> Route {
    Route {
        destination: destination.parse().unwrap(),
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        metric: None,
        kind: RouteKind::Unicast,
    }
}

fn allowed(authority: &Authority, call: Call, object: Object<'_>) -> bool {
    decide(authority, call, &[object]).is_ok()
}

#[test]
fn rule_1_a_call_that_is_not_listed_is_denied_even_on_own_objects() {
    let name = "p0".parse().unwrap();
    let own = Object::Link {
        namespace: Namespace::Host,
        name: &name,
        own: true,
    };
    let denial = decide(&authority(""), Call::LinksGet, &[own]).unwrap_err();
    assert_eq!(denial.cause, Cause::NotGranted);
    assert_eq!(denial.line, r#""links.get" = {}"#);
    assert!(allowed(
        &authority(r#""links.get" = {}"#),
        Call::LinksGet,
        own
    ));
}

#[test]
fn only_a_message_needs_no_grant() {
    let none = authority("");
    assert!(allowed(&none, Call::LogWrite, Object::Message));
    let listed = authority(r#""log.write" = {}"#);
    assert!(allowed(&listed, Call::LogWrite, Object::Message));
    for call in Call::ALL {
        let denial = decide(&none, *call, &[]).err();
        let cause = denial.map(|denial| denial.cause);
        let expected = (*call != Call::LogWrite).then_some(Cause::NotGranted);
        assert_eq!(cause, expected, "{call}");
    }
    let name = "p0".parse().unwrap();
    let link = Object::Link {
        namespace: Namespace::Host,
        name: &name,
        own: false,
    };
    assert!(!allowed(&none, Call::LogWrite, link));
}

/// An authority for a request that has this to say of a VF, with a grant of all calls
/// about VFs.
fn with_vfs(number: WishedVf, changes: &[VfChange]) -> Authority {
    let calls = Call::ALL.iter().filter(|call| call.name().contains("vf"));
    let calls: String = calls.map(|call| format!("\"{call}\" = {{}}\n")).collect();
    let mut authority = authority(&calls);
    authority.request.vf = VfWish {
        number,
        changes: changes.to_vec(),
    };
    authority
}

fn vf(card: &LinkName, number: u32, change: Option<VfChange>) -> Object<'_> {
    Object::Vf {
        namespace: Namespace::Host,
        card,
        number,
        change,
        own: false,
    }
}

#[test]
fn a_vf_is_used_only_if_its_card_and_its_number_are_named() {
    let (card, other) = ("p0".parse().unwrap(), "x0".parse().unwrap());
    let uses = |number, object| allowed(&with_vfs(number, &[]), Call::LinksUseVf, object);
    assert!(uses(WishedVf::Any, vf(&card, 3, None)));
    assert!(uses(WishedVf::Number(3), vf(&card, 3, None)));
    assert!(!uses(WishedVf::Number(3), vf(&card, 2, None)));
    assert!(!uses(WishedVf::None, vf(&card, 0, None)));
    assert!(!uses(WishedVf::Any, vf(&other, 3, None)));
    let mut found = with_vfs(WishedVf::Any, &[]);
    found.request.parent = None;
    found.request.default_parent = Some(card.clone());
    assert!(!allowed(&found, Call::LinksUseVf, vf(&card, 3, None)));
    let denial = decide(&found, Call::LinksUseVf, &[vf(&card, 3, None)]).unwrap_err();
    assert_eq!(denial.line, r#""links.use-vf" = { link = "p0" }"#);
    assert_eq!(denial.object, "VF 3 of link host:p0");
}

#[test]
fn a_vf_is_changed_only_as_the_request_says() {
    let (card, other) = ("p0".parse().unwrap(), "x0".parse().unwrap());
    let vlan = |id| {
        VfChange::Vlan(VfVlan {
            id,
            ..VfVlan::default()
        })
    };
    let said = [vlan(7), VfChange::SpoofCheck(true), VfChange::Trust(false)];
    let mut authority = with_vfs(WishedVf::Any, &said);
    let call_of = |change| match change {
        VfChange::Mac(_) => Call::LinksSetVfMac,
        VfChange::Vlan(_) => Call::LinksSetVfVlan,
        VfChange::SpoofCheck(_) => Call::LinksSetVfSpoofCheck,
        VfChange::Trust(_) => Call::LinksSetVfTrust,
        VfChange::LinkState(_) => Call::LinksSetVfLinkState,
        VfChange::Rate { .. } => Call::LinksSetVfRate,
    };
    let may = |authority: &Authority, card, number, change| {
        allowed(authority, call_of(change), vf(card, number, Some(change)))
    };
    // What the options say isn't enough: the run must use the VF.
    assert!(!said.iter().any(|change| may(&authority, &card, 3, *change)));
    authority.request.used_vf = Some(UsedVf {
        card: card.clone(),
        number: 3,
        link: Some("v3".parse().unwrap()),
        made: Vec::new(),
    });
    for change in said {
        assert!(may(&authority, &card, 3, change));
        assert!(!may(&authority, &card, 2, change) && !may(&authority, &other, 3, change));
    }
    for change in [
        VfChange::Mac("02:00:00:00:00:07".parse().unwrap()),
        vlan(8),
        vlan(0),
        VfChange::SpoofCheck(false),
        VfChange::Trust(true),
        VfChange::Rate { min: 0, max: 0 },
    ] {
        assert!(!may(&authority, &card, 3, change), "{change}");
    }
}

#[test]
fn of_the_host_only_the_link_of_the_used_vf_moves() {
    let mut authority = authority(r#""links.move-to-container" = {}"#);
    let name = "v3".parse().unwrap();
    let link = |namespace| Object::Link {
        namespace,
        name: &name,
        own: false,
    };
    let call = Call::LinksMoveToContainer;
    assert!(!allowed(&authority, call, link(Namespace::Host)));
    authority.request.used_vf = Some(UsedVf {
        card: "p0".parse().unwrap(),
        number: 3,
        link: Some(name.clone()),
        made: vec![VfChange::Trust(false)],
    });
    authority.request.vf.changes = vec![VfChange::Trust(false), VfChange::SpoofCheck(true)];
    let lacking = authority.request.lacking_of_vf(&name);
    assert_eq!(lacking, Some(VfChange::SpoofCheck(true)));
    assert!(allowed(&authority, call, link(Namespace::Host)));
    assert!(!allowed(&authority, call, link(Namespace::Container)));
    if let Some(used) = &mut authority.request.used_vf {
        used.link = None;
    }
    assert!(!allowed(&authority, call, link(Namespace::Host)));
}

#[test]
fn rule_3_the_parent_is_read_and_used_and_moved_but_never_changed() {
    let authority = authority(&all_calls());
    let name = "p0".parse().unwrap();
    let parent = |namespace| Object::Link {
        namespace,
        name: &name,
        own: false,
    };
    for call in Call::ALL {
        let may = matches!(
            call,
            Call::LinksGet
                | Call::LinksInfo
                | Call::LinksPorts
                | Call::LinksUseBridge
                | Call::LinksWaitCarrier
                | Call::LinksVfs
                | Call::LinksCreateMacvlan
                | Call::LinksCreateIpvlan
                | Call::LinksCreateMacvtap
                | Call::LinksCreateVlan
                | Call::LinksCreateVxlan
                | Call::LinksMoveToContainer
                | Call::OffloadsList
                | Call::AddressesList
                | Call::AddressesWaitDad
                | Call::NeighboursList
                | Call::DnsRegister
                | Call::DhcpLease
        );
        assert_eq!(
            allowed(&authority, *call, parent(Namespace::Host)),
            may,
            "{call}"
        );
        assert!(
            !allowed(&authority, *call, parent(Namespace::Container)),
            "{call}"
        );
    }
}

#[test]
fn rule_3_the_vrf_is_read_and_never_changed() {
    let authority = authority(&all_calls());
    let name = "blue".parse().unwrap();
    let vrf = |namespace| Object::Link {
        namespace,
        name: &name,
        own: false,
    };
    for call in Call::ALL {
        let may = matches!(
            call,
            Call::LinksGet | Call::LinksInfo | Call::LinksDefaultMtu | Call::LinksPorts
        );
        assert_eq!(
            allowed(&authority, *call, vrf(Namespace::Host)),
            may,
            "{call}"
        );
        assert!(
            !allowed(&authority, *call, vrf(Namespace::Container)),
            "{call}"
        );
    }
}

#[test]
fn rule_3_the_ndp_proxy_answers_and_is_nothing_else() {
    let authority = authority(&all_calls());
    let name = "wan0".parse().unwrap();
    let proxy = |namespace| Object::Link {
        namespace,
        name: &name,
        own: false,
    };
    for call in Call::ALL {
        let may = matches!(
            call,
            Call::LinksGet | Call::NeighboursAddProxy | Call::SysctlSetProxyNdp
        );
        let (host, container) = (proxy(Namespace::Host), proxy(Namespace::Container));
        assert_eq!(allowed(&authority, *call, host), may, "{call}");
        assert!(!allowed(&authority, *call, container), "{call}");
    }
}

#[test]
fn rule_3_a_vlan_parent_is_made_on_its_base_and_shared() {
    let mut authority = authority("\"links.create-vlan\" = { place = \"shared\" }\n");
    authority.request.vlans = Vec::new();
    authority.request.parent = Some("lan0.70".parse().unwrap());
    let (base, other) = ("lan0".parse().unwrap(), "lan1".parse().unwrap());
    let new = |namespace| Object::NewLink {
        namespace,
        name: authority.request.parent.as_ref().unwrap(),
    };
    let on = |name| Object::Link {
        namespace: Namespace::Host,
        name,
        own: false,
    };
    let vlan = |id: u16| Object::Vlans {
        numbers: NumberRange::one(id),
        own: false,
    };
    let may = |object| allowed(&authority, Call::LinksCreateVlan, object);
    assert!(may(new(Namespace::Host)) && may(on(&base)) && may(vlan(70)));
    assert!(!may(new(Namespace::Container)) && !may(on(&other)) && !may(vlan(71)));
    for other in ["lan0", "lan0.0", "lan0.4095", "lan0.07", "lan0.7a", ".7"] {
        let request = RequestReach {
            parent: Some(other.parse().unwrap()),
            ..RequestReach::default()
        };
        assert_eq!(request.vlan_parent(), None, "{other}");
    }
}

#[test]
fn rule_3_the_host_gets_addresses_beside_the_containers_alone() {
    let mut authority = authority("\"addresses.add\" = {}\n");
    authority.request.host_addresses = vec!["10.0.0.5".parse().unwrap()];
    let may = |namespace, address: &str| {
        let address = address.parse().unwrap();
        let own = false;
        allowed(
            &authority,
            Call::AddressesAdd,
            Object::Address {
                namespace,
                address,
                own,
            },
        )
    };
    assert!(may(Namespace::Host, "10.0.0.5/32"));
    assert!(!may(Namespace::Host, "10.0.0.5/24") && !may(Namespace::Host, "10.0.0.6/32"));
    assert!(!may(Namespace::Container, "10.0.0.5/32"));
}

#[test]
fn rule_3_new_links_take_the_names_of_the_request() {
    let authority = authority(&all_calls());
    let (eth0, veth0, p0) = ("eth0", "veth0", "p0");
    let (host, container) = (Namespace::Host, Namespace::Container);
    let cases = [
        (Call::LinksCreateMacvlan, container, eth0, true),
        (Call::LinksCreateMacvlan, container, p0, false),
        (Call::LinksCreateMacvlan, host, eth0, false),
        (Call::LinksCreateMacvlan, host, p0, false),
        (Call::LinksCreateVeth, container, eth0, true),
        (Call::LinksCreateVeth, host, veth0, true),
        (Call::LinksCreateVeth, host, eth0, false),
        (Call::LinksCreateBridge, host, p0, true),
        (Call::LinksCreateBridge, host, veth0, false),
        (Call::LinksCreateBridge, container, eth0, true),
        (Call::LinksCreateBridge, container, p0, false),
        (Call::LinksCreateVrf, host, p0, true),
        (Call::LinksCreateDummy, host, p0, false),
        (Call::LinksMoveToContainer, container, eth0, true),
        (Call::LinksSetUp, container, eth0, false),
    ];
    for (call, namespace, name, may) in cases {
        let name = name.parse().unwrap();
        let object = Object::NewLink {
            namespace,
            name: &name,
        };
        assert_eq!(allowed(&authority, call, object), may, "{call} {object}");
    }
}

#[test]
fn rule_3_the_host_chooses_names_by_call_network_and_container() {
    let authority = authority(&all_calls());
    let name = |call, shared| {
        let request = &authority.request;
        request.name_for(call, Namespace::Host, shared).unwrap()
    };
    let dummy = name(Call::LinksCreateDummy, false);
    assert_ne!(dummy, name(Call::LinksCreateDummy, true));
    assert_ne!(dummy, name(Call::LinksCreateVxlan, false));
    let object = Object::NewLink {
        namespace: Namespace::Host,
        name: &dummy,
    };
    assert!(allowed(&authority, Call::LinksCreateDummy, object));
    assert!(!allowed(&authority, Call::LinksCreateVxlan, object));
    assert!(!allowed(&authority, Call::LinksSetUp, object));
}

#[test]
fn rule_3_an_ifb_in_the_container_stands_beside_the_interface() {
    let authority = authority("\"links.create-ifb\" = {}");
    let ifb = Call::LinksCreateIfb;
    let name = |namespace| authority.request.name_for(ifb, namespace, false).unwrap();
    let (inside, eth0) = (name(Namespace::Container), "eth0".parse().unwrap());
    let new = |namespace, name| Object::NewLink { namespace, name };
    assert!(allowed(&authority, ifb, new(Namespace::Container, &inside)));
    assert!(!allowed(&authority, ifb, new(Namespace::Container, &eth0)));
}

#[test]
fn rule_3_a_vrf_in_the_container_has_the_name_that_the_user_wants() {
    let mut authority = authority("\"links.create-vrf\" = {}\n\"links.create-macvlan\" = {}");
    let (eth0, red) = ("eth0".parse().unwrap(), "red".parse().unwrap());
    let new = |namespace, name| Object::NewLink { namespace, name };
    let vrf = Call::LinksCreateVrf;
    assert!(allowed(&authority, vrf, new(Namespace::Container, &eth0)));
    authority.request.container_vrf = Some(red);
    let red = authority.request.container_vrf.clone().unwrap();
    for (call, object, may) in [
        (vrf, new(Namespace::Container, &red), true),
        (vrf, new(Namespace::Container, &eth0), false),
        (vrf, new(Namespace::Host, &red), false),
        (
            Call::LinksCreateMacvlan,
            new(Namespace::Container, &red),
            false,
        ),
    ] {
        assert_eq!(allowed(&authority, call, object), may, "{call} {object}");
    }
}

#[test]
fn rule_3_only_the_parent_and_the_vrf_take_ports_that_are_not_own() {
    let authority = authority(r#""links.set-master" = {}"#);
    let (p0, p1) = ("p0".parse().unwrap(), "p1".parse().unwrap());
    let blue = "blue".parse().unwrap();
    let master = |namespace, name| Object::Master {
        namespace,
        name,
        own: false,
    };
    for (object, may) in [
        (master(Namespace::Host, &p0), true),
        (master(Namespace::Host, &blue), true),
        (master(Namespace::Host, &p1), false),
        (master(Namespace::Container, &p0), false),
        (master(Namespace::Container, &blue), false),
    ] {
        assert_eq!(
            allowed(&authority, Call::LinksSetMaster, object),
            may,
            "{object}"
        );
    }
}

#[test]
fn rule_3_routes_and_addresses_are_those_of_the_request() {
    let authority = authority("\"routes.add\" = {}\n\"addresses.add\" = {}");
    let host = Namespace::Host;
    let container = Namespace::Container;
    let cases = [
        (container, route("0.0.0.0/0", Some("10.0.0.1")), true),
        (container, route("0.0.0.0/0", Some("10.0.0.9")), false),
        (container, route("10.7.0.0/16", Some("10.0.0.1")), false),
        (container, route("0.0.0.0/0", None), true),
        (container, route("10.0.0.1/32", None), true),
        (container, route("10.0.0.1/32", Some("10.0.0.9")), false),
        (container, route("10.0.0.0/24", Some("10.0.0.1")), true),
        (container, route("10.0.0.0/16", Some("10.0.0.1")), false),
        (container, route("10.7.0.0/16", None), false),
        (host, route("10.0.0.0/24", None), true),
        (host, route("10.0.0.2/32", None), true),
        (host, route("10.0.0.0/16", None), false),
        (host, route("0.0.0.0/0", Some("10.0.0.1")), false),
    ];
    for (namespace, route, may) in cases {
        let object = Object::Route {
            namespace,
            route: &route,
            through_own_link: true,
            own: false,
        };
        assert_eq!(
            allowed(&authority, Call::RoutesAdd, object),
            may,
            "{object}"
        );
    }
    for (namespace, address, may) in [
        (container, "10.0.0.2/24", true),
        (container, "10.0.0.2/16", false),
        (container, "10.0.0.3/24", false),
        (container, "10.0.0.1/24", false),
        (host, "10.0.0.1/24", true),
        (host, "10.0.0.1/32", true),
        (host, "10.0.0.1/16", false),
        (host, "10.0.0.2/32", false),
        (host, "10.0.0.2/24", false),
    ] {
        let object = Object::Address {
            namespace,
            address: address.parse().unwrap(),
            own: false,
        };
        assert_eq!(
            allowed(&authority, Call::AddressesAdd, object),
            may,
            "{address}"
        );
    }
}

#[test]
fn tables_of_the_host_are_own_or_spelled_out() {
    let table = |namespace, table, own| Object::Table {
        namespace,
        table,
        own,
    };
    let (host, container) = (Namespace::Host, Namespace::Container);
    let first = authority(r#""routes.add" = { table = 77 }"#);
    for (object, may) in [
        (table(host, 77, false), true),
        (table(host, 78, false), false),
        (table(host, 78, true), true),
        (table(container, 78, false), true),
    ] {
        assert_eq!(allowed(&first, Call::RoutesAdd, object), may, "{object}");
    }
    let object = table(host, 78, false);
    let denial = decide(&first, Call::RoutesAdd, &[object]).unwrap_err();
    assert_eq!(denial.line, r#""routes.add" = { table = [77, 78] }"#);
    let second = authority(&denial.line);
    assert!(allowed(&second, Call::RoutesAdd, object));
    let all = authority(r#""routes.add" = { table = "*" }"#);
    assert!(allowed(&all, Call::RoutesAdd, object));
}

fn rule(source: Option<&str>, destination: Option<&str>, incoming: Option<&str>) -> Rule {
    Rule {
        version: IpVersion::Ipv4,
        source: source.map(|network| network.parse().unwrap()),
        destination: destination.map(|network| network.parse().unwrap()),
        incoming: incoming.map(|name| name.parse().unwrap()),
        outgoing: None,
        mark: None,
        priority: 7,
        table: 77,
    }
}

#[test]
fn rule_3_rules_of_the_host_are_about_the_requests_packets() {
    let authority = authority("\"rules.add\" = {}\n\"rules.remove\" = {}");
    let (host, container) = (Namespace::Host, Namespace::Container);
    let inside = Some("10.0.0.2/32");
    let outside = Some("10.0.0.0/16");
    for (namespace, rule, names_own_link, may) in [
        (container, rule(None, None, None), false, true),
        (host, rule(None, None, None), false, false),
        (host, rule(inside, None, None), false, true),
        (host, rule(None, inside, None), false, true),
        (host, rule(outside, inside, Some("p0")), false, true),
        (host, rule(outside, None, None), false, false),
        (host, rule(None, None, Some("p0")), false, false),
        (host, rule(None, None, Some("own0")), true, true),
    ] {
        let object = |own| Object::Rule {
            namespace,
            rule: &rule,
            names_own_link,
            is_shared: false,
            own,
        };
        let add = Call::RulesAdd;
        assert_eq!(allowed(&authority, add, object(false)), may, "{rule}");
        let remove = Call::RulesRemove;
        assert!(!allowed(&authority, remove, object(false)), "{rule}");
        assert!(allowed(&authority, remove, object(true)), "{rule}");
    }
}

#[test]
fn rule_3_neighbours_of_other_links_have_the_requests_addresses() {
    let authority = authority("\"neighbours.add\" = {}\n\"neighbours.add-proxy\" = {}");
    for call in [Call::NeighboursAdd, Call::NeighboursAddProxy] {
        for (address, may) in [("10.0.0.2", true), ("10.0.0.1", false), ("10.0.0.3", false)] {
            let object = Object::Neighbour {
                address: address.parse().unwrap(),
                own: false,
            };
            assert_eq!(allowed(&authority, call, object), may, "{call} {object}");
        }
    }
    let object = |own| Object::Neighbour {
        address: "10.0.0.2".parse().unwrap(),
        own,
    };
    let call = Call::NeighboursRemoveProxy;
    let authority = self::authority(r#""neighbours.remove-proxy" = {}"#);
    assert!(!allowed(&authority, call, object(false)));
    assert!(allowed(&authority, call, object(true)));
    let denial = decide(&authority, call, &[object(false)]).unwrap_err();
    let line = r#""neighbours.remove-proxy" = { address = "10.0.0.2/32" }"#;
    assert_eq!(denial.line, line);
}

#[test]
fn rule_4_one_thing_that_a_rule_names_is_enough() {
    let source = Some("10.7.0.0/16");
    let to = Some("10.8.0.0/16");
    for (rule, line) in [
        (rule(source, to, Some("p0")), r#"address = "10.7.0.0/16""#),
        (rule(None, to, Some("p0")), r#"destination = "10.8.0.0/16""#),
        (rule(None, None, Some("p0")), r#"link = "p0""#),
        (rule(None, None, None), r#"address = "0.0.0.0/0""#),
    ] {
        let object = Object::Rule {
            namespace: Namespace::Host,
            rule: &rule,
            names_own_link: false,
            is_shared: false,
            own: false,
        };
        let none = authority(r#""rules.add" = {}"#);
        let denial = decide(&none, Call::RulesAdd, &[object]).unwrap_err();
        assert_eq!(denial.line, format!("\"rules.add\" = {{ {line} }}"));
        let wider = authority(&denial.line);
        assert!(allowed(&wider, Call::RulesAdd, object), "{rule}");
        let all = authority(r#""rules.add" = { address = "*" }"#);
        assert!(allowed(&all, Call::RulesAdd, object), "{rule}");
        let other = r#"{ address = "10.7.0.0/17", destination = "10.8.0.0/17", link = "p1" }"#;
        let other = authority(&format!("\"rules.add\" = {other}"));
        assert!(!allowed(&other, Call::RulesAdd, object), "{rule}");
    }
}

#[test]
fn rule_4_the_line_of_a_denial_allows_exactly_what_was_denied() {
    let first = authority(r#""links.set-up" = { link = "a0" }"#);
    let (p0, p1) = ("p0".parse().unwrap(), "p1".parse().unwrap());
    let object = |name| Object::Link {
        namespace: Namespace::Host,
        name,
        own: false,
    };
    let denial = decide(&first, Call::LinksSetUp, &[object(&p0)]).unwrap_err();
    assert_eq!(denial.line, r#""links.set-up" = { link = ["a0", "p0"] }"#);
    let second = authority(&denial.line);
    assert!(allowed(&second, Call::LinksSetUp, object(&p0)));
    assert!(!allowed(&second, Call::LinksSetUp, object(&p1)));
}

#[test]
fn a_widening_of_the_host_does_not_reach_the_container() {
    let name = "eth0".parse().unwrap();
    let object = Object::Link {
        namespace: Namespace::Container,
        name: &name,
        own: false,
    };
    let host = authority(r#""links.set-up" = { link = "*" }"#);
    assert!(!allowed(&host, Call::LinksSetUp, object));
    let container = authority(r#""links.set-up" = { link = "container:*" }"#);
    assert!(allowed(&container, Call::LinksSetUp, object));
}

#[test]
fn the_default_link_is_reached_where_no_parent_is_named() {
    let mut authority = authority(r#""links.get-default" = {}"#);
    assert!(!allowed(
        &authority,
        Call::LinksGetDefault,
        Object::DefaultRouteLink
    ));
    authority.request.parent = None;
    assert!(allowed(
        &authority,
        Call::LinksGetDefault,
        Object::DefaultRouteLink
    ));
    authority.request.parent_differs = true;
    assert!(!allowed(
        &authority,
        Call::LinksGetDefault,
        Object::DefaultRouteLink
    ));
}

#[test]
fn the_default_mtu_is_told_for_the_main_table_and_the_requests_vrf() {
    let call = Call::LinksDefaultMtu;
    let mut authority = authority(r#""links.default-mtu" = {}"#);
    assert!(allowed(&authority, call, Object::DefaultMtu));
    let vrf = authority.request.vrf.take().unwrap();
    let object = Object::Link {
        namespace: Namespace::Host,
        name: &vrf,
        own: false,
    };
    assert!(!allowed(&authority, call, object));
    authority.request.vrf = Some(vrf.clone());
    assert!(allowed(&authority, call, object));
    authority.request.vrf = None;
    authority.request.parent = Some(vrf.clone());
    assert!(!allowed(&authority, call, object));
}

#[test]
fn a_bridge_of_the_host_is_reached_once_it_is_used_and_only_the_users() {
    let calls = [
        Call::AddressesAdd,
        Call::FirewallIsolate,
        Call::FirewallPublish,
        Call::LinksSetPromiscuous,
        Call::LinksSetUp,
        Call::SysctlSetAcceptRa,
        Call::SysctlSetRouteLocalnet,
    ];
    let mut authority = authority(&all_calls());
    let (users, other) = ("p0".parse().unwrap(), "br9".parse().unwrap());
    let link = |name| Object::Link {
        namespace: Namespace::Host,
        name,
        own: false,
    };
    for call in calls {
        assert!(!allowed(&authority, call, link(&users)), "{call}");
    }
    authority.request.used_bridge = Some(users.clone());
    for call in calls {
        assert!(allowed(&authority, call, link(&users)), "{call}");
        assert!(!allowed(&authority, call, link(&other)), "{call}");
    }
    for call in [Call::LinksSetDown, Call::LinksSetMtu, Call::LinksDelete] {
        assert!(!allowed(&authority, call, link(&users)), "{call}");
    }
    // It's closed only if that is the user's word, too.
    let close = Call::FirewallInternal;
    assert!(!allowed(&authority, close, link(&users)));
    authority.request.internal = true;
    assert!(allowed(&authority, close, link(&users)));
    assert!(!allowed(&authority, close, link(&other)));
    // What is used must be what the user named.
    authority.request.used_bridge = Some(other.clone());
    for call in calls {
        assert!(!allowed(&authority, call, link(&other)), "{call}");
        assert!(!allowed(&authority, call, link(&users)), "{call}");
    }
}

#[test]
fn a_chosen_name_is_that_of_a_new_bridge_and_of_no_link_that_is_there() {
    let mut authority = authority(&all_calls());
    let name: LinkName = "wv-0123".parse().unwrap();
    authority.request.parent = None;
    authority.request.chosen = Some(name.clone());
    let made = authority
        .request
        .name_for(Call::LinksCreateBridge, Namespace::Host, true);
    assert_eq!(made, Some(name.clone()));
    for call in Call::ALL {
        let link = Object::Link {
            namespace: Namespace::Host,
            name: &name,
            own: false,
        };
        assert!(!allowed(&authority, *call, link), "{call}");
    }
}

#[test]
fn name_servers_in_the_answer_are_the_users_or_the_networks_gateways() {
    let authority = authority(r#""answer.dns" = { address = "198.51.100.0/24" }"#);
    for (address, may) in [
        ("192.0.2.53", true),
        ("10.0.0.1", true),
        ("198.51.100.7", true),
        ("10.0.0.2", false),
        ("203.0.113.9", false),
    ] {
        let server = Object::NameServer(address.parse().unwrap());
        assert_eq!(
            allowed(&authority, Call::AnswerDns, server),
            may,
            "{address}"
        );
    }
    let domain = Object::SearchDomain("example.org");
    assert!(!allowed(&authority, Call::AnswerSearch, domain));
}

#[test]
fn rule_3_a_search_is_for_what_the_request_names() {
    let calls =
        "\"links.get-by-mac\" = {}\n\"links.get-by-index\" = {}\n\"links.get-default\" = {}";
    let mut authority = authority(calls);
    let mac = |text: &str| LinkProperty::Mac(text.parse().unwrap());
    let (named, other) = (mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02"));
    let (host, container) = (Namespace::Host, Namespace::Container);
    let with = |namespace, property| Object::LinkWith {
        namespace,
        property,
        own: false,
    };
    let call = Call::LinksGetByMac;
    assert!(!allowed(&authority, call, with(host, &named)));
    authority.request.parent = None;
    authority.request.parent_property = Some(named.clone());
    assert!(allowed(&authority, call, with(host, &named)));
    assert!(!allowed(&authority, call, with(host, &other)));
    assert!(!allowed(&authority, call, with(container, &named)));
    let index = LinkProperty::Index(7);
    let object = with(host, &index);
    assert!(!allowed(&authority, Call::LinksGetByIndex, object));
    // Another link than the one that is named isn't the parent.
    assert!(!allowed(
        &authority,
        Call::LinksGetDefault,
        Object::DefaultRouteLink
    ));
}

#[test]
fn rule_4_a_search_is_allowed_where_links_are_spelled_out() {
    let property = LinkProperty::Mac("02:00:00:00:00:01".parse().unwrap());
    let with = |namespace| Object::LinkWith {
        namespace,
        property: &property,
        own: false,
    };
    let call = Call::LinksGetByMac;
    let narrow = authority(r#""links.get-by-mac" = {}"#);
    let denial = decide(&narrow, call, &[with(Namespace::Host)]).unwrap_err();
    assert_eq!(denial.line, r#""links.get-by-mac" = { link = "*" }"#);
    let wide = authority(r#""links.get-by-mac" = { link = "eth1" }"#);
    assert!(allowed(&wide, call, with(Namespace::Host)));
    assert!(!allowed(&wide, call, with(Namespace::Container)));
}

#[test]
fn one_object_out_of_reach_denies_the_call() {
    let authority = authority(r#""addresses.add" = {}"#);
    let name = "eth0".parse().unwrap();
    let link = Object::Link {
        namespace: Namespace::Container,
        name: &name,
        own: true,
    };
    let address = |text: &str| Object::Address {
        namespace: Namespace::Container,
        address: text.parse().unwrap(),
        own: false,
    };
    assert!(
        decide(
            &authority,
            Call::AddressesAdd,
            &[link, address("10.0.0.2/24")]
        )
        .is_ok()
    );
    assert!(
        decide(
            &authority,
            Call::AddressesAdd,
            &[link, address("10.0.9.2/24")]
        )
        .is_err()
    );
}

#[test]
fn rule_3_secrets_are_those_that_options_name() {
    let call = Call::WireguardSetPrivateKey;
    let authority = authority(&format!("\"{}\" = {{}}", call.name()));
    assert!(allowed(&authority, call, Object::Secret("named")));
    assert!(!allowed(&authority, call, Object::Secret("other")));
}

#[test]
fn rule_3_ports_are_those_that_are_published() {
    let call = Call::FirewallPublish;
    let first = authority("\"firewall.publish\" = { port = \"53/udp\" }");
    let range = |first, last, container_first, protocol| PortRange {
        host_address: None,
        protocol,
        first,
        last,
        container_first,
    };
    let beyond = range(8080, 8082, 80, Protocol::Tcp);
    for (ports, may) in [
        (range(8080, 8080, 80, Protocol::Tcp), true),
        (range(8080, 8081, 80, Protocol::Tcp), true),
        (range(8080, 8080, 81, Protocol::Tcp), false),
        (range(8080, 8080, 80, Protocol::Udp), false),
        (range(53, 53, 5353, Protocol::Udp), true),
        (beyond.clone(), false),
    ] {
        assert_eq!(allowed(&first, call, Object::Ports(&ports)), may, "{ports}");
    }
    let denial = decide(&first, call, &[Object::Ports(&beyond)]).unwrap_err();
    assert_eq!(
        denial.line,
        r#""firewall.publish" = { port = ["53/udp", "8080-8082/tcp"] }"#
    );
    let second = authority(&denial.line);
    assert!(allowed(&second, call, Object::Ports(&beyond)));
    let all = authority(r#""firewall.publish" = { port = "*" }"#);
    assert!(allowed(&all, call, Object::Ports(&beyond)));
}

#[test]
fn the_reach_that_was_used_allows_the_same_and_is_within_the_grants() {
    let wide = authority(
        r#""links.set-up" = { link = ["*", "container:*"] }
        "links.get-by-mac" = { link = "x0" }
        "links.get-default" = { link = "*" }
        "addresses.add" = { link = "*", address = "*" }
        "routes.add" = { link = "*", destination = "*", table = "*" }
        "rules.add" = { link = "*", destination = "10.0.0.0/8" }
        "rules.list" = { address = "*" }
        "sysctl.set" = { key = ["net.ipv4.*", "container:*"] }
        "firewall.publish" = { address = "*", port = "1-9000/tcp" }
        "wireguard.set-private-key" = { secret = "*" }"#,
    );
    let host = Namespace::Host;
    let (p0, x0) = ("p0".parse().unwrap(), "x0".parse().unwrap());
    let link = |name, own| Object::Link {
        namespace: host,
        name,
        own,
    };
    let mac = LinkProperty::Mac("02:00:00:00:00:01".parse().unwrap());
    let with_mac = Object::LinkWith {
        namespace: host,
        property: &mac,
        own: false,
    };
    let key: SettingKey = "net.ipv4.tcp_syncookies".parse().unwrap();
    let setting = Object::Key {
        namespace: host,
        key: &key,
        of_own_link: false,
    };
    let far = route("192.0.2.0/24", None);
    let far = Object::Route {
        namespace: host,
        route: &far,
        through_own_link: false,
        own: false,
    };
    let table = Object::Table {
        namespace: host,
        table: 7,
        own: false,
    };
    let address = Object::Address {
        namespace: host,
        address: "10.1.0.1/24".parse().unwrap(),
        own: false,
    };
    // Its source isn't in the grant, what it leads to is.
    let rule = Rule {
        source: Some("172.16.0.0/12".parse().unwrap()),
        destination: Some("10.9.0.0/16".parse().unwrap()),
        version: IpVersion::Ipv4,
        incoming: None,
        outgoing: None,
        mark: None,
        priority: 100,
        table: 7,
    };
    let rule = Object::Rule {
        namespace: host,
        rule: &rule,
        names_own_link: false,
        is_shared: false,
        own: false,
    };
    let cases: [(Call, &[Object<'_>], &str); 11] = [
        (Call::LinksSetUp, &[link(&x0, true)], "{}"),
        (Call::LinksSetUp, &[link(&x0, false)], r#"{ link = "x0" }"#),
        (Call::LinksGetByMac, &[with_mac], r#"{ link = "x0" }"#),
        (
            Call::LinksGetDefault,
            &[Object::DefaultRouteLink],
            r#"{ link = "*" }"#,
        ),
        (
            Call::AddressesAdd,
            &[link(&p0, false), address],
            r#"{ link = "p0", address = "10.1.0.0/24" }"#,
        ),
        (
            Call::RoutesAdd,
            &[link(&x0, true), far, table],
            r#"{ destination = "192.0.2.0/24", table = 7 }"#,
        ),
        (
            Call::RulesAdd,
            &[rule],
            r#"{ destination = "10.9.0.0/16" }"#,
        ),
        (
            Call::RulesList,
            &[Object::AllRules(host)],
            r#"{ address = "*" }"#,
        ),
        (
            Call::SysctlSet,
            &[setting],
            r#"{ key = "net.ipv4.tcp_syncookies" }"#,
        ),
        (
            Call::WireguardSetPrivateKey,
            &[Object::Secret("named")],
            "{}",
        ),
        (
            Call::WireguardSetPrivateKey,
            &[Object::Secret("other")],
            r#"{ secret = "other" }"#,
        ),
    ];
    for (call, objects, expected) in cases {
        assert!(decide(&wide, call, objects).is_ok(), "{call}");
        let used = reach_used(&wide, call, objects);
        assert_eq!(used.to_string(), expected, "{call}");
        assert!(wide.grant.calls()[&call].covers(&used), "{call}");
        let narrow = authority(&Grant::line(call, &used));
        assert!(decide(&narrow, call, objects).is_ok(), "{call}");
    }
}

#[test]
fn a_proposed_line_is_one_that_a_grant_can_have_and_allows_it() {
    let odd = "odd*".parse().unwrap();
    let link = Object::Link {
        namespace: Namespace::Host,
        name: &odd,
        own: false,
    };
    let all = Object::AllLinks(Namespace::Host);
    for (granted, call, object) in [
        ("", Call::LinksGet, link),
        (r#""links.get" = { link = "x0" }"#, Call::LinksGet, link),
        (r#""links.names" = { link = "x0" }"#, Call::LinksNames, all),
    ] {
        let denial = decide(&authority(granted), call, &[object]).unwrap_err();
        assert!(
            allowed(&authority(&denial.line), call, object),
            "{}",
            denial.line
        );
    }
}
