//! Tests against a fake firewalld on a bus of their own.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::fake::{Behaviour, Client, Fake, TestBus, soon};
use super::{Added, Firewalld, FirewalldError, Overlap, Reload, Reloads, Removed, Source, State};

fn subnet(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// Connects to a fake firewalld.
fn connect(bus: &TestBus) -> Firewalld {
    Firewalld::connect_to(&bus.address(), soon())
        .unwrap()
        .unwrap()
}

fn watch(bus: &TestBus) -> Reloads {
    Reloads::connect_to(&bus.address(), soon())
        .unwrap()
        .unwrap()
}

/// A deadline that passes while a test waits.
fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(50)
}

#[test]
fn there_is_no_firewalld_without_a_bus() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = format!("unix:path={}", path.display()).parse().unwrap();
    assert!(Firewalld::connect_to(&address, soon()).unwrap().is_none());
    assert!(Reloads::connect_to(&address, soon()).unwrap().is_none());
    // The socket of a bus that ended.
    drop(UnixListener::bind(&path).unwrap());
    assert!(Firewalld::connect_to(&address, soon()).unwrap().is_none());
}

#[test]
fn a_mute_bus_takes_no_longer_than_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    let address = format!("unix:path={}", path.display()).parse().unwrap();
    let error = Firewalld::connect_to(&address, shortly()).unwrap_err();
    assert!(matches!(error, FirewalldError::Deadline { .. }), "{error}");
}

#[test]
fn a_firewalld_that_does_not_run_is_not_started() {
    let Some(bus) = TestBus::start() else { return };
    assert!(
        Firewalld::connect_to(&bus.address(), soon())
            .unwrap()
            .is_none()
    );
    let fake = Fake::start(&bus, Behaviour::default());
    let firewalld = connect(&bus);
    fake.stop();
    let error = firewalld.trust(subnet("10.88.0.0/16"), soon()).unwrap_err();
    assert!(matches!(error, FirewalldError::Gone { .. }), "{error}");
    assert!(!bus.folder().join("started").exists());
}

#[test]
fn a_subnet_is_trusted_until_it_is_removed() {
    let Some(bus) = TestBus::start() else { return };
    let _fake = Fake::start(&bus, Behaviour::default());
    let firewalld = connect(&bus);
    assert_eq!(firewalld.state(soon()).unwrap(), State::Running);
    for net in ["10.88.0.0/16", "fd00:88::/64"] {
        let net = subnet(net);
        assert!(!firewalld.is_trusted(net, soon()).unwrap());
        assert_eq!(firewalld.trust(net, soon()).unwrap(), Added::New);
        assert_eq!(firewalld.trust(net, soon()).unwrap(), Added::WasThere);
        assert!(firewalld.is_trusted(net, soon()).unwrap());
        assert_eq!(firewalld.sources(soon()).unwrap(), [Source::Subnet(net)]);
        assert_eq!(firewalld.distrust(net, soon()).unwrap(), Removed::Now);
        assert_eq!(firewalld.distrust(net, soon()).unwrap(), Removed::WasAbsent);
        assert_eq!(firewalld.sources(soon()).unwrap(), []);
    }
}

#[test]
fn host_bits_do_not_matter() {
    let Some(bus) = TestBus::start() else { return };
    let _fake = Fake::start(&bus, Behaviour::default());
    let firewalld = connect(&bus);
    firewalld.trust(subnet("10.88.0.1/16"), soon()).unwrap();
    assert!(
        firewalld
            .is_trusted(subnet("10.88.0.0/16"), soon())
            .unwrap()
    );
    let removed = firewalld.distrust(subnet("10.88.7.7/16"), soon());
    assert_eq!(removed.unwrap(), Removed::Now);
}

#[test]
fn a_conflict_names_the_other_zone_and_leaves_it_alone() {
    let Some(bus) = TestBus::start() else { return };
    let mut behaviour = Behaviour::default();
    behaviour
        .zones
        .insert("dmz", vec!["10.88.0.0/16".to_owned()]);
    let _fake = Fake::start(&bus, behaviour);
    let firewalld = connect(&bus);
    let net = subnet("10.88.0.0/16");
    let error = firewalld.trust(net, soon()).unwrap_err();
    match &error {
        FirewalldError::Conflict { subnet, zone } => {
            assert_eq!((*subnet, zone.as_str()), (net, "dmz"));
        }
        error => panic!("{error}"),
    }
    assert!(
        error
            .to_string()
            .contains("--zone=dmz --remove-source=10.88.0.0/16")
    );
    assert_eq!(firewalld.distrust(net, soon()).unwrap(), Removed::WasAbsent);
    assert!(matches!(
        firewalld.trust(net, soon()),
        Err(FirewalldError::Conflict { .. })
    ));
}

#[test]
fn overlapping_sources_of_other_zones_are_found() {
    let Some(bus) = TestBus::start() else { return };
    let mut behaviour = Behaviour::default();
    let sources = ["10.0.0.0/8", "192.0.2.0/24", "ipset:all"].map(str::to_owned);
    behaviour.zones.insert("dmz", sources.into());
    let _fake = Fake::start(&bus, behaviour);
    let firewalld = connect(&bus);
    let net = subnet("10.88.0.0/16");
    firewalld.trust(net, soon()).unwrap();
    let expected = Overlap {
        zone: "dmz".to_owned(),
        source: subnet("10.0.0.0/8"),
    };
    assert_eq!(firewalld.overlaps(net, soon()).unwrap(), [expected]);
    assert_eq!(firewalld.overlaps(subnet("fd00::/64"), soon()).unwrap(), []);
}

#[test]
fn a_refusal_is_passed_on_without_control_characters() {
    let Some(bus) = TestBus::start() else { return };
    let refusal = Some(format!("PANIC_MODE: \u{1b}[2J{}", "x".repeat(100_000)));
    let behaviour = Behaviour {
        refusal,
        ..Behaviour::default()
    };
    let _fake = Fake::start(&bus, behaviour);
    let firewalld = connect(&bus);
    for result in [
        firewalld.trust(subnet("10.88.0.0/16"), soon()).map(drop),
        firewalld.distrust(subnet("10.88.0.0/16"), soon()).map(drop),
        firewalld
            .is_trusted(subnet("10.88.0.0/16"), soon())
            .map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, FirewalldError::Refused { .. }));
        let error = error.to_string();
        assert!(
            error.contains("PANIC_MODE") && error.contains("10.88.0.0/16"),
            "{error}"
        );
        assert!(!error.contains('\u{1b}') && error.len() < 700, "{error}");
    }
}

#[test]
fn strict_forward_ports_is_a_setting_that_may_be_missing() {
    let Some(bus) = TestBus::start() else { return };
    for (strict, expected) in [(Some("yes"), true), (Some("no"), false), (None, false)] {
        let behaviour = Behaviour {
            strict,
            ..Behaviour::default()
        };
        let fake = Fake::start(&bus, behaviour);
        assert_eq!(
            connect(&bus).strict_forward_ports(soon()).unwrap(),
            expected
        );
        fake.stop();
    }
    let behaviour = Behaviour {
        strict: Some("perhaps"),
        ..Behaviour::default()
    };
    let _fake = Fake::start(&bus, behaviour);
    let error = connect(&bus).strict_forward_ports(soon()).unwrap_err();
    assert!(matches!(error, FirewalldError::Answer { .. }), "{error}");
}

#[test]
fn an_answer_that_never_comes_ends_with_the_deadline() {
    let Some(bus) = TestBus::start() else { return };
    let behaviour = Behaviour {
        silent: Some("addSource"),
        ..Behaviour::default()
    };
    let _fake = Fake::start(&bus, behaviour);
    let firewalld = connect(&bus);
    let error = firewalld
        .trust(subnet("10.88.0.0/16"), shortly())
        .unwrap_err();
    assert!(matches!(error, FirewalldError::Deadline { .. }), "{error}");
    // The connection is as good as before.
    assert_eq!(firewalld.sources(soon()).unwrap(), []);
}

#[test]
fn an_answer_of_another_type_is_an_error() {
    let Some(bus) = TestBus::start() else { return };
    for odd in ["getSources", "querySource", "getActiveZones", "Get"] {
        let behaviour = Behaviour {
            odd: Some(odd),
            ..Behaviour::default()
        };
        let fake = Fake::start(&bus, behaviour);
        let firewalld = connect(&bus);
        let error = match odd {
            "getSources" => firewalld.sources(soon()).unwrap_err(),
            "querySource" => firewalld.is_trusted(subnet("::/0"), soon()).unwrap_err(),
            "getActiveZones" => firewalld.overlaps(subnet("::/0"), soon()).unwrap_err(),
            _ => firewalld.state(soon()).unwrap_err(),
        };
        assert!(matches!(error, FirewalldError::Answer { .. }), "{error}");
        fake.stop();
    }
}

#[test]
fn a_reload_is_seen_and_has_forgotten_the_sources() {
    let Some(bus) = TestBus::start() else { return };
    let fake = Fake::start(&bus, Behaviour::default());
    let firewalld = connect(&bus);
    firewalld.trust(subnet("10.88.0.0/16"), soon()).unwrap();
    let mut reloads = watch(&bus);
    assert_eq!(reloads.wait(Some(shortly())).unwrap(), None);
    for _ in 0..2 {
        fake.reload();
        assert_eq!(reloads.wait(Some(soon())).unwrap(), Some(Reload::Reloaded));
        assert!(
            !firewalld
                .is_trusted(subnet("10.88.0.0/16"), soon())
                .unwrap()
        );
    }
}

#[test]
fn a_restart_is_a_stop_and_a_start() {
    let Some(bus) = TestBus::start() else { return };
    // It may start after the watch.
    let mut reloads = Reloads::connect_to(&bus.address(), soon())
        .unwrap()
        .unwrap();
    let mut wait = || reloads.wait(Some(soon())).unwrap().unwrap();
    let fake = Fake::start(&bus, Behaviour::default());
    assert_eq!(wait(), Reload::Started);
    fake.stop();
    let fake = Fake::start(&bus, Behaviour::default());
    assert_eq!((wait(), wait()), (Reload::Stopped, Reload::Started));
    fake.reload();
    assert_eq!(wait(), Reload::Reloaded);
}

#[test]
fn another_process_can_not_forge_a_reload() {
    let Some(bus) = TestBus::start() else { return };
    let fake = Fake::start(&bus, Behaviour::default());
    let mut reloads = watch(&bus);
    Client::connect(&bus).forge_reloaded(reloads.name());
    fake.stop();
    assert_eq!(reloads.wait(Some(soon())).unwrap(), Some(Reload::Stopped));
}

#[test]
fn the_end_of_the_bus_ends_the_watch() {
    let Some(bus) = TestBus::start() else { return };
    let mut reloads = Reloads::connect_to(&bus.address(), soon())
        .unwrap()
        .unwrap();
    drop(bus);
    let error = reloads.wait(Some(soon())).unwrap_err();
    assert!(matches!(error, FirewalldError::Lost { .. }), "{error}");
}
