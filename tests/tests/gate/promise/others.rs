//! Attacks on links of the network's other containers, which must stay as they are.

use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::Probe;
use crate::shared::Container;

const SHARED: &str = r#"{ link = ["p0", "own0"] }"#;
/// A macvlan link and a bridge that the containers share, and the one below the
/// other.
const PORT: &str = "links.get host p0; links.create-macvlan shared own0 0 bridge; \
    links.create-bridge shared br0; links.set-master 1 2; bridge-ports.set-isolated 1 on";
const QUEUE: &str = "links.get host p0; links.create-macvlan shared own0 0 bridge";

pub(super) fn register(suite: &mut Suite) {
    let needs = &[Need::Root, Need::Macvlan];
    let mut test = |name: &str, test: fn()| {
        suite.test(format!("promise::others::{name}"), needs, test);
    };
    test("a-link-of-theirs-never-moves", moved);
    test("a-port-of-theirs-stays-as-it-is", ports);
    test("a-class-has-packets-of-its-own-container", classes);
}

fn grant() -> Grant {
    Grant::of(&[
        "links.create-bridge",
        "links.set-master",
        "links.move-to-container",
        "bridge-ports.set-isolated",
        "bridge-ports.set-hairpin",
        "traffic.set-htb",
        "traffic.add-htb-class",
    ])
    .call("links.create-macvlan", SHARED)
    .on_host()
    .call("links.get", r#"{ link = "p0" }"#)
}

#[track_caller]
fn is_refused(container: &Container, probe: &Probe<'_>, script: &str, text: &str) {
    let error = error_of(&container.run(probe, "setup", script));
    assert!(error.contains("(EBUSY)") && error.contains(text), "{error}");
}

fn moved() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let (one, two) = (Container::new(1), Container::new(2));
    answer_of(&one.run(&probe, "setup", QUEUE));
    let script = format!("{QUEUE}; links.move-to-container 1 eth0");
    is_refused(
        &two,
        &probe,
        &script,
        "other containers of the network have own0",
    );
    one.down(&probe);
    // It's the second one's alone, but it stays a link for all of them.
    let error = error_of(&two.run(&probe, "setup", &script));
    assert!(error.contains("own0 is shared"), "{error}");
}

fn ports() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let (one, two) = (Container::new(1), Container::new(2));
    answer_of(&one.run(&probe, "setup", PORT));
    for change in ["set-isolated 1 off", "set-hairpin 1 on"] {
        let script = format!("{PORT}; bridge-ports.{change}");
        is_refused(
            &two,
            &probe,
            &script,
            "other containers of the network have own0",
        );
    }
    answer_of(&two.run(&probe, "setup", PORT));
    one.down(&probe);
    two.down(&probe);
}

fn classes() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let one = Container::new(1).with_address("10.99.0.2");
    let class = |packets: &str| {
        format!(
            "{QUEUE}; traffic.set-htb 1 8000000 5000; \
             traffic.add-htb-class 1 8000 5000 ceiling=8000,5000 {packets}"
        )
    };
    for others in [
        "destination=10.99.0.3/32",
        "source=10.99.0.0/24",
        "destination=192.0.2.0/24",
    ] {
        is_refused(&one, &probe, &class(others), "share own0");
    }
    answer_of(&one.run(
        &probe,
        "setup",
        &class("source=10.99.0.2/32 destination=192.0.2.0/24"),
    ));
    one.down(&probe);
}
