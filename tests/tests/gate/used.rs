//! Existing bridges of the host: which one a driver can use, and what it can do to it.

use nix::sys::signal::Signal;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};
use crate::turns;

const NEEDS: &[Need] = &[Need::Root];

/// What takes a bridge into use, and what the calls reach from then on.
const USE: &str = "links.use-bridge off; links.set-up 0; links.set-promiscuous 0 on; \
                   addresses.add 0 10.88.0.1/16; sysctl.set-accept-ra 0 none; \
                   firewall.isolate 0 normal";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("used::{name}"), NEEDS, test);
    test("only-what-it-is-for", only_what_it_is_for);
    test("only-the-users", only_the_users);
    test("not-before-it-is-used", not_before_it_is_used);
    test("not-from-those-behind-it", not_from_those_behind);
    test("a-killed-setup-leaves-it", killed_setup);
    test("journal-says-what-is-used", journal);
}

fn grant() -> Grant {
    Grant::of(&[
        "addresses.add",
        "bridge-ports.add-vlans",
        "bridge-ports.remove-vlans",
        "firewall.isolate",
        "links.create-bridge",
        "links.create-veth",
        "links.delete",
        "links.get",
        "links.info",
        "links.rename",
        "links.set-alias",
        "links.set-all-multicast",
        "links.set-down",
        "links.set-mac",
        "links.set-master",
        "links.set-mtu",
        "links.set-promiscuous",
        "links.set-tx-queue-length",
        "links.set-up",
        "links.use-bridge",
        "log.write",
        "neighbours.add",
        "sysctl.set-accept-ra",
        "sysctl.set-autoconf",
        "sysctl.set-disable-ipv6",
        "sysctl.set-forwarding",
        "sysctl.set-route-localnet",
        "traffic.set-tbf",
    ])
    .on_host()
}

fn connection() -> Connection {
    Connection::v4(NAME).network("network_interface", "br0")
}

fn lay_bridges(world: &World) {
    let bridges = "link add br0 address 02:00:00:00:00:b0 type bridge\n\
                   link add br1 address 02:00:00:00:00:b1 type bridge\n\
                   link set p0 master br0\nlink set p0 nomaster";
    world.host.ip_batch(&[], bridges);
}

fn only_what_it_is_for() {
    let world = World::new();
    lay_bridges(&world);
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    answer_of(&probe.setup(connection(), USE));
    let host = Dump::of(&world.host);
    assert!(host.is_up("br0"));
    assert_eq!(host.cidrs("br0"), ["10.88.0.1/16"]);
    probe.teardown(&connection());
    assert_unchanged(&world.host, &before, "the host");
    for (call, why) in [
        ("links.set-down 0", "is denied"),
        ("links.set-mtu 0 1400", "is denied"),
        ("links.set-mac 0 02:00:00:00:00:b9", "is denied"),
        ("links.set-alias 0 mine", "is denied"),
        ("links.set-all-multicast 0 on", "is denied"),
        ("links.set-tx-queue-length 0 7", "is denied"),
        ("links.set-master 0 -", "is denied"),
        ("links.rename 0 br9", "is denied"),
        ("links.delete 0", "isn't a link that was made"),
        ("bridge-ports.remove-vlans 0 1 4094", "is denied"),
        ("addresses.add 0 10.99.0.1/16", "is denied"),
        ("neighbours.add 0 10.88.0.2 02:00:00:00:00:01", "is denied"),
        ("sysctl.set-autoconf 0 off", "is denied"),
        ("sysctl.set-disable-ipv6 0 on", "is denied"),
        ("sysctl.set-forwarding 0 ipv4 on", "is denied"),
        (
            "sysctl.set-accept-ra 0 all",
            "could become the host's router",
        ),
        (
            "sysctl.set-route-localnet 0 on",
            "publish ports behind it first",
        ),
        ("links.set-promiscuous 0 off", "is the host's"),
    ] {
        let script = format!("links.use-bridge off; {call}");
        let error = probe.setup_fails(connection(), &script);
        assert!(error.contains(why), "{call}: {error}");
        assert_unchanged(&world.host, &before, call);
    }
}

/// A bridge that somebody else named is none: neither that of a grant's line for another
/// call, nor one that `create` brought in.
fn only_the_users() {
    let world = World::new();
    lay_bridges(&world);
    let wide = grant()
        .call("links.names", r#"{ link = "*" }"#)
        .without("links.get")
        .call("links.get", r#"{ link = "br1" }"#);
    let probe = Probe::new(&world, &wide);
    let before = Dump::of(&world.host);
    let unnamed = || connection().without_network("network_interface");
    let error = probe.setup_fails(unnamed(), "links.use-bridge off");
    assert!(error.contains("no name for a bridge"), "{error}");
    for (request, script) in [
        (unnamed(), "links.get host br1; links.set-up 0"),
        (
            connection(),
            "links.use-bridge off; links.get host br1; links.set-up 1",
        ),
        (
            connection(),
            "links.use-bridge off; links.get host br1; addresses.add 1 10.88.0.1/16",
        ),
    ] {
        let error = probe.setup_fails(request, script);
        assert!(error.contains("is denied"), "{error}");
        assert_unchanged(&world.host, &before, script);
    }
}

fn not_before_it_is_used() {
    let world = World::new();
    lay_bridges(&world);
    let probe = Probe::new(&world, &grant());
    for call in ["links.set-up 0", "addresses.add 0 10.88.0.1/16"] {
        let script = format!("links.get host br0; {call}");
        let error = probe.setup_fails(connection(), &script);
        assert!(error.contains("is denied"), "{error}");
    }
    // A link that is no bridge is never used.
    let on_p0 = connection().network("network_interface", "p0");
    let error = probe.setup_fails(on_p0, "links.use-bridge off");
    assert!(error.contains("p0 already exists but is a veth"), "{error}");
    // Without the line, the operator hasn't agreed to it.
    probe.grant(&grant().without("links.use-bridge"));
    let error = probe.setup_fails(connection(), "links.use-bridge off");
    assert!(error.contains("is denied"), "{error}");
}

/// The gateway's address isn't taken from a machine behind the bridge, and the host goes
/// on listening to its routers.
fn not_from_those_behind() {
    let world = World::new();
    lay_bridges(&world);
    world.host.ip("link set p0 master br0");
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    for call in [
        "addresses.add 0 10.88.0.1/16",
        "sysctl.set-accept-ra 0 none",
    ] {
        let script = format!("links.use-bridge off; {call}");
        let error = probe.setup_fails(connection(), &script);
        assert!(error.contains("br0 has the port p0"), "{error}");
        assert_unchanged(&world.host, &before, call);
    }
}

fn killed_setup() {
    let world = World::new();
    lay_bridges(&world);
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let script = format!("{USE}; log.write info made; loop");
    let killed = connection().option("script", &script);
    let child = turns::started_at(&probe, "setup", &killed, &world.container);
    turns::signal(&child, Signal::SIGKILL);
    assert_eq!(turns::ended(child).code, None);
    assert!(Dump::of(&world.host).is_up("br0"));
    probe.teardown(&connection());
    assert_unchanged(&world.host, &before, "the host");
}

fn journal() {
    let world = World::new();
    lay_bridges(&world);
    let probe = Probe::new(&world, &grant());
    answer_of(&probe.setup(connection(), USE));
    let output = probe.wasmvark.administer(&["journal"]);
    for text in [
        "bridge host:br0 used, shared",
        "bridge host:br0 set up, shared",
    ] {
        assert!(output.stdout.contains(text), "{output:?}");
    }
    probe.teardown(&connection());
}
