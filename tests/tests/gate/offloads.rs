//! The features of links.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::answer_of;
use wasmvark_tests::world::{PARENT, World};

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("offloads::{name}"), NEEDS, test);
    test("a-links-features-are-listed-and-set", lists_and_sets);
    test("the-hosts-link-gets-its-features-back", put_back);
    test("what-cannot-be-set-is-said-and-changes-nothing", refused);
}

fn grant() -> Grant {
    let parent = r#"{ link = "p0" }"#;
    Grant::of(&["links.get", "links.create-veth", "log.write"])
        .on_host()
        .call("offloads.set", parent)
        .call("offloads.list", parent)
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

fn lists_and_sets() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "links.create-veth -; offloads.list 0 tell; \
        offloads.set 0 tx-checksum-ip-generic off; offloads.set 0 rx-gro on; \
        offloads.list 0 tell; offloads.set 0 tx-checksum-ip-generic on; offloads.list 0 tell";
    let output = probe.setup(v4(), script);
    answer_of(&output);
    let lists: Vec<_> = output
        .stderr
        .lines()
        .filter(|line| line.contains("offloads: "))
        .collect();
    let has = |at: usize, text: &str| lists[at].split(' ').any(|word| word == text);
    assert!(has(0, "tx-checksum-ip-generic=on"), "{}", lists[0]);
    assert!(has(0, "tx-tcp-segmentation=on"), "{}", lists[0]);
    assert!(
        has(0, "netns-local=off!") || has(0, "highdma=on"),
        "{}",
        lists[0]
    );
    assert!(has(1, "tx-checksum-ip-generic=off"), "{}", lists[1]);
    assert!(has(1, "rx-gro=on"), "{}", lists[1]);
    // It can't be without checksums, and is back with them.
    assert!(has(1, "tx-tcp-segmentation=off"), "{}", lists[1]);
    assert!(has(2, "tx-tcp-segmentation=on"), "{}", lists[2]);
    probe.teardown(&v4());
}

fn put_back() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let before = Dump::of(&world.host);
    let script = "links.get host p0; offloads.set 0 tx-checksum-ip-generic off; \
                  offloads.set 0 rx-gro on; offloads.set 0 rx-gro off";
    answer_of(&probe.setup(v4(), script));
    let now = Dump::of(&world.host);
    assert_ne!(before.features(PARENT), now.features(PARENT));
    probe.teardown(&v4());
    assert_eq!(
        before.features(PARENT),
        Dump::of(&world.host).features(PARENT)
    );
}

fn refused() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    for (script, text) in [
        (
            "offloads.set 0 warp-drive on",
            "there is no feature \"warp-drive\": `ethtool -k` lists them",
        ),
        (
            "offloads.set 0 rx-all on",
            "rx-all: this link doesn't let it be changed (EOPNOTSUPP)",
        ),
        (
            "offloads.set 0 tx-checksum-ip-generic off; offloads.set 0 tx-tcp-segmentation off; \
             offloads.set 0 tx-tcp-segmentation on",
            "tx-tcp-segmentation: the link's other features prevent the change (EOPNOTSUPP)",
        ),
    ] {
        let error = probe.setup_fails(v4(), &format!("links.get host p0; {script}"));
        assert!(error.contains(text), "{error}");
    }
}
