//! The effects of the calls of `addresses`, except for the addition of a plain address.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("addresses::{name}"), NEEDS, test);
    test("options-and-list", options);
    test("add-where-IPv6-is-off", ipv6_off);
    test("allocate-subnet-in-create", allocate);
    test("wait-dad", wait_dad);
    test("wait-dad-finds-a-duplicate", duplicate);
    test("remove-gives-back-what-was-there", remove);
}

fn grant() -> Grant {
    let grant = Grant::of(&[
        "addresses.list",
        "addresses.wait-dad",
        "links.create-macvlan",
        "links.get",
        "links.set-up",
        "log.write",
    ]);
    let reach = r#"{ link = "p0", address = "*" }"#;
    grant
        .call("addresses.add", reach)
        .call("addresses.remove", reach)
}

fn dual() -> Connection {
    Connection::dual(NAME)
}

const MAKE: &str =
    "links.get host p0; links.create-macvlan container eth0 0 bridge; links.set-up 1;";

/// Looks for duplicates, which other tests have no time for.
fn world_with_dad() -> World {
    let world = World::new();
    world.container.run(|| {
        for device in ["all", "default"] {
            let file = format!("/proc/sys/net/ipv6/conf/{device}/accept_dad");
            // Where it's read-only it's on.
            let _ = std::fs::write(file, "1");
        }
    });
    world
}

fn options() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = format!(
        "{MAKE} addresses.add 1 10.88.0.2/16 no-prefix-route=on; addresses.add 1 10.77.0.2/24; \
         addresses.add 1 fd88::2/64 no-dad=on no-prefix-route=on; addresses.list 1 tell; \
         addresses.remove 1 10.77.0.2/24; ?addresses.remove 1 10.77.0.2/24"
    );
    let output = probe.setup(dual(), &script);
    let answer = answer_of(&output);
    let gone = ["addresses.remove.not-found"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(gone));
    for text in ["\"10.88.0.2/16\"", "\"10.77.0.2/24\"", "\"fd88::2/64\""] {
        assert!(output.stderr.contains(text), "{text}: {}", output.stderr);
    }
    let dump = Dump::of(&world.container);
    assert_eq!(dump.cidrs("eth0"), ["10.88.0.2/16", "fd88::2/64"]);
    let text = format!("{dump:?}");
    assert!(text.contains("\"nodad\":true"), "{text}");
    assert_eq!(text.matches("\"noprefixroute\":true").count(), 2, "{text}");
    assert!(!text.contains("\"dst\":\"10.88.0.0/16\""), "{text}");
    probe.teardown(&dual());
}

fn ipv6_off() {
    let world = World::new();
    world.container.set("ipv6/conf/default/disable_ipv6", "1");
    let probe = Probe::new(&world, &grant());
    let script = format!("{MAKE} addresses.add 1 10.88.0.2/16; ?addresses.add 1 fd88::2/64");
    let answer = answer_of(&probe.setup(dual(), &script));
    let unsupported = ["addresses.add.unsupported"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(unsupported));
    probe.teardown(&dual());
    let error = probe.setup_fails(dual(), &format!("{MAKE} addresses.add 1 fd88::2/64"));
    let text = "IPv6 is off in the container's namespace (net.ipv6.conf.eth0.disable_ipv6 is 1)";
    assert!(error.contains(text), "{error}");
}

/// A subnet of each version, and none in `setup`.
fn allocate() {
    let world = World::new();
    let probe = Probe::new(&world, &Grant::of(&["addresses.allocate-subnet"]));
    let create = |script: &str| {
        let network = Connection::new(NAME).option("create-script", script);
        let mut plugin = probe.wasmvark.plugin_command(NAME);
        let conf = world.file("containers.conf");
        let text = format!("[network]\nnetwork_config_dir = {:?}", world.file("none"));
        std::fs::write(&conf, text).expect("a file can be written");
        plugin.env("CONTAINERS_CONF", conf).arg("create");
        process::run(&mut plugin, network.for_create().as_bytes())
    };
    let one = "addresses.allocate-subnet ipv4 off";
    let created = answer_of(&create(one));
    assert_eq!(
        created["subnets"],
        serde_json::json!([{"subnet": "10.89.0.0/24"}])
    );
    let created = answer_of(&create("addresses.allocate-subnet ipv4 on"));
    assert_eq!(created["subnets"][0]["gateway"], "10.89.0.1");
    let error = error_of(&create("addresses.allocate-subnet ipv6 off"));
    assert!(
        error.contains("on new IPv6 subnet failed: the user wants no such"),
        "{error}"
    );
    let error = error_of(&create(&format!("{one}; {one}")));
    let text = "the network has the subnet 10.89.0.0/24";
    assert!(error.contains(text), "{error}");
    let other = r#"{"subnets":[{"subnet":"10.89.7.0/24"}]}"#;
    let error = error_of(&create(&format!("{one}; change {other}")));
    assert!(error.contains("create.subnets"), "{error}");
    let error = probe.setup_fails(Connection::new(NAME), one);
    let text = "a network gets its subnets when it is created";
    assert!(error.contains(text), "{error}");
}

fn wait_dad() {
    let world = world_with_dad();
    let probe = Probe::new(&world, &grant());
    let script = format!(
        "{MAKE} addresses.add 1 fd88::2/64; ?addresses.wait-dad 1 0; addresses.wait-dad 1 8000"
    );
    let answer = answer_of(&probe.setup(dual(), &script));
    let busy = ["addresses.wait-dad.busy"];
    assert_eq!(answer["dns_search_domains"], serde_json::json!(busy));
    probe.teardown(&dual());
}

fn duplicate() {
    let world = world_with_dad();
    world.neighbour.ip("addr add fd88::2/64 dev n0 nodad");
    let probe = Probe::new(&world, &grant());
    let script = format!("{MAKE} addresses.add 1 fd88::2/64; addresses.wait-dad 1 8000");
    let error = probe.setup_fails(dual(), &script);
    let text = "addresses.wait-dad on link container:eth0 failed";
    assert!(error.contains(text), "{error}");
    assert!(error.contains("EADDRINUSE"), "{error}");
    let text = "another machine has fd88::2 (duplicate address detection)";
    assert!(error.contains(text), "{error}");
}

/// Also the routes that the kernel removes with an address.
fn remove() {
    let world = World::new();
    world.host.ip_batch(
        &[],
        "addr add 10.88.0.250/16 broadcast + dev p0\naddr add 10.88.0.251/16 dev p0\n\
         addr add fd88::250/64 dev p0\nroute add default via 10.88.0.1\n\
         route add 198.51.100.0/24 via 10.88.0.1 metric 5\n\
         route add 2001:db8:1::/64 via fd88::1 metric 6",
    );
    let probe = Probe::new(&world, &grant());
    let script = "links.get host p0; addresses.remove 0 10.88.0.250/16; \
        addresses.remove 0 fd88::250/64; addresses.add 0 10.99.0.1/24; \
        addresses.remove 0 10.99.0.1/24";
    answer_of(&probe.setup(dual(), script));
    let cidrs = Dump::of(&world.host).cidrs("p0");
    assert!(!cidrs.contains(&"10.88.0.250/16".to_owned()), "{cidrs:?}");
    assert!(!cidrs.contains(&"fd88::250/64".to_owned()), "{cidrs:?}");
    probe.teardown(&dual());
}
