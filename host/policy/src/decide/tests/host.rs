//! Tests of decisions about the host and the parent.

use types::{HostPlace, LinkName};

use super::*;

fn every_call() -> Authority {
    let calls = Call::ALL.iter();
    let lines: String = calls.map(|call| format!("\"{call}\" = {{}}\n")).collect();
    authority(&lines)
}

#[test]
fn a_link_on_the_host_needs_the_word_for_its_place() {
    let all = every_call();
    let name = all
        .request
        .name_for(Call::LinksCreateDummy, Namespace::Host, false);
    let name = name.unwrap();
    let objects = |place| {
        let namespace = Namespace::Host;
        [
            Object::NewLink {
                namespace,
                name: &name,
            },
            Object::Place(place),
        ]
    };
    let dummy = Call::LinksCreateDummy;
    for place in HostPlace::ALL {
        let denial = decide(&all, dummy, &objects(place)).unwrap_err();
        let line = format!("\"links.create-dummy\" = {{ place = \"{place}\" }}");
        assert_eq!(denial.line, line);
        let wider = authority(&denial.line);
        assert!(decide(&wider, dummy, &objects(place)).is_ok());
        let used = reach_used(&wider, dummy, &objects(place));
        assert_eq!(Grant::line(dummy, &used), line);
        let other = HostPlace::ALL
            .into_iter()
            .find(|other| *other != place)
            .unwrap();
        assert!(decide(&wider, dummy, &objects(other)).is_err());
    }
    // The place alone gives no name, and a name no place.
    let stranger = "x0".parse().unwrap();
    let objects = [
        Object::NewLink {
            namespace: Namespace::Host,
            name: &stranger,
        },
        Object::Place(HostPlace::Host),
    ];
    let placed = authority(r#""links.create-dummy" = { place = "host" }"#);
    assert!(decide(&placed, dummy, &objects).is_err());
    let named = authority(r#""links.create-dummy" = { link = "*" }"#);
    assert!(decide(&named, dummy, &objects).is_err());
}

#[test]
fn all_of_the_parent_is_the_users_word_or_the_grants() {
    let mut all = every_call();
    let p0: LinkName = "p0".parse().unwrap();
    let whole = Object::Whole {
        namespace: Namespace::Host,
        name: &p0,
        own: false,
    };
    for call in Call::ALL {
        assert!(!allowed(&all, *call, whole), "{call}");
    }
    all.request.mode = Some("passthru".to_owned());
    for call in Call::ALL {
        let may = matches!(
            call,
            Call::LinksCreateMacvlan
                | Call::LinksCreateMacvtap
                | Call::LinksSetPromiscuous
                | Call::LinksSetAllMulticast
        );
        assert_eq!(allowed(&all, *call, whole), may, "{call}");
    }
    // A parent that nobody named stays as it is.
    all.request.default_parent = all.request.parent.take();
    assert!(!allowed(&all, Call::LinksCreateMacvlan, whole));
    let granted = authority(r#""links.set-mac" = { link = "p0" }"#);
    assert!(allowed(&granted, Call::LinksSetMac, whole));
    let denial = decide(&every_call(), Call::LinksCreateIpvlan, &[whole]).unwrap_err();
    assert_eq!(denial.line, r#""links.create-ipvlan" = { link = "p0" }"#);
}

#[test]
fn the_default_routes_link_is_used_and_stays_where_it_is() {
    let mut all = every_call();
    all.request.default_parent = all.request.parent.take();
    let p0: LinkName = "p0".parse().unwrap();
    let namespace = Namespace::Host;
    let link = Object::Link {
        namespace,
        name: &p0,
        own: false,
    };
    for call in [
        Call::LinksGet,
        Call::LinksInfo,
        Call::LinksCreateMacvlan,
        Call::LinksVfs,
    ] {
        assert!(allowed(&all, call, link), "{call}");
    }
    assert!(!allowed(&all, Call::LinksMoveToContainer, link));
    let master = Object::Master {
        namespace,
        name: &p0,
        own: false,
    };
    assert!(!allowed(&all, Call::LinksSetMaster, master));
    let bridge = Object::NewLink {
        namespace,
        name: &p0,
    };
    assert!(!allowed(&all, Call::LinksCreateBridge, bridge));
}

#[test]
fn vlans_and_vxlans_are_those_that_options_name() {
    let all = every_call();
    let vlans = |text, own| Object::Vlans {
        numbers: NumberRange::parse(text).unwrap(),
        own,
    };
    for (text, may) in [
        ("10", true),
        ("10-20", true),
        ("9-10", false),
        ("21", false),
    ] {
        for call in [Call::LinksCreateVlan, Call::BridgePortsAddVlans] {
            assert_eq!(allowed(&all, call, vlans(text, false)), may, "{text}");
        }
    }
    assert!(allowed(
        &all,
        Call::BridgePortsRemoveVlans,
        vlans("1-4094", true)
    ));
    assert!(!allowed(
        &all,
        Call::BridgePortsRemoveVlans,
        vlans("1-4094", false)
    ));
    let denial = decide(&all, Call::LinksCreateVlan, &[vlans("21", false)]).unwrap_err();
    assert_eq!(denial.line, r#""links.create-vlan" = { vlan = 21 }"#);
    assert!(allowed(
        &authority(&denial.line),
        Call::LinksCreateVlan,
        vlans("21", false)
    ));
    let vxlan = Call::LinksCreateVxlan;
    assert!(allowed(&all, vxlan, Object::Vni(7)));
    let denial = decide(&all, vxlan, &[Object::Vni(8)]).unwrap_err();
    assert_eq!(denial.line, r#""links.create-vxlan" = { vni = 8 }"#);
    let wide = authority(r#""links.create-vxlan" = { vni = "8-100" }"#);
    assert!(allowed(&wide, vxlan, Object::Vni(9)));
}

#[test]
fn host_routes_leave_through_own_links_or_are_the_requests() {
    let mut all = every_call();
    all.request
        .routes
        .push(route("192.0.2.0/24", Some("10.0.0.9")));
    let blackhole = Route {
        kind: RouteKind::Blackhole,
        ..route("10.0.0.2/32", None)
    };
    for (route, through_own_link, may) in [
        (route("10.0.0.2/32", None), true, true),
        (route("10.0.0.2/32", None), false, false),
        (route("10.0.0.2/32", Some("10.0.0.9")), false, false),
        (blackhole.clone(), false, false),
        (blackhole, true, false),
        (route("192.0.2.0/24", Some("10.0.0.9")), true, true),
        // Another link could lead there.
        (route("192.0.2.0/24", Some("10.0.0.9")), false, false),
        (route("192.0.2.0/24", Some("10.0.0.8")), true, false),
        (route("192.0.2.0/24", None), true, false),
        (route("0.0.0.0/0", Some("10.0.0.1")), true, false),
    ] {
        let object = Object::Route {
            namespace: Namespace::Host,
            route: &route,
            through_own_link,
            own: false,
        };
        for call in [Call::RoutesAdd, Call::RoutesReplace] {
            assert_eq!(allowed(&all, call, object), may, "{call} {object}");
        }
    }
}

#[test]
fn packets_are_the_containers_or_those_of_a_network_that_is_the_drivers() {
    let all = every_call();
    for (network, alone, shared) in [
        ("10.0.0.2/32", true, true),
        ("10.0.0.3/32", false, true),
        ("10.0.0.0/24", false, true),
        ("10.0.0.0/16", false, false),
        ("0.0.0.0/0", false, false),
    ] {
        for (is_shared, may) in [(false, alone), (true, shared)] {
            let network = network.parse().unwrap();
            let source = Object::Source { network, is_shared };
            assert_eq!(
                allowed(&all, Call::FirewallMasquerade, source),
                may,
                "{source}"
            );
            let rule = Rule {
                source: Some(network),
                ..rule(None, None, None)
            };
            let object = Object::Rule {
                namespace: Namespace::Host,
                rule: &rule,
                names_own_link: false,
                is_shared,
                own: false,
            };
            assert_eq!(allowed(&all, Call::RulesAdd, object), may, "{object}");
        }
    }
}

#[test]
fn settings_for_others_are_set_by_their_calls_or_named() {
    let all = every_call();
    let allowed = |namespace, key: &str, of_own_link| {
        let key = key.parse().unwrap();
        let object = Object::Key {
            namespace,
            key: &key,
            of_own_link,
        };
        decide(&all, Call::SysctlSet, &[object])
    };
    let container = Namespace::Container;
    assert!(allowed(container, "net.ipv4.conf.eth0.arp_filter", true).is_ok());
    assert!(allowed(container, "net.ipv4.conf.lo.arp_filter", false).is_err());
    // The user named it.
    assert!(allowed(container, "net.ipv4.conf.eth0.proxy_arp", true).is_ok());
    assert!(allowed(container, "net.ipv4.conf.eth0.proxy_arp", false).is_err());
    assert!(allowed(Namespace::Host, "net.ipv4.conf.eth0.proxy_arp", false).is_err());
    let denial = allowed(container, "net.ipv4.conf.eth0.route_localnet", true).unwrap_err();
    assert!(
        denial
            .to_string()
            .ends_with("sysctl.set-route-localnet sets it)"),
        "{denial}"
    );
    let denial = allowed(container, "net.ipv4.conf.eth0.accept_local", true).unwrap_err();
    assert_eq!(denial.instead, None);
    let key = r#"{ key = "container:net.ipv4.conf.eth0.accept_local" }"#;
    assert_eq!(denial.line, format!("\"sysctl.set\" = {key}"));
}
