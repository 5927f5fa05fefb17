//! Many containers on a network, each with published ports and rules of its own. The
//! cost of one container must grow little with their number.
//!
//! There are 40 containers, unless `WASMVARK_TEST_MANY` sets another number up to 200.

use std::time::{Duration, Instant};

use wasmvark_tests::connection::mapping;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::Tcp;
use wasmvark_tests::flow::{cannot_connect, connect, from};
use wasmvark_tests::harness::Suite;

use super::NEEDS;
use super::ports::publish;
use super::site::{Container, HOST, assert_clean, at, subnets, world};
use super::traffic::{both, filtering};
use crate::probe::Probe;

/// Published ports of each container.
const PORTS: u16 = 10;
/// How many times as long the last one may take as the first one, beyond which
/// something grows that shouldn't. Other programs run beside this one.
const GROWTH: u32 = 6;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("firewall::many-containers", NEEDS, many);
}

fn how_many() -> u8 {
    let number = std::env::var("WASMVARK_TEST_MANY");
    number.map_or(40, |number| number.parse().expect("a number up to 200"))
}

/// The first of a container's ports on the host.
fn first_port(number: u8) -> u16 {
    10_000 + PORTS * u16::from(number)
}

fn container(number: u8) -> (Container, String) {
    let mut container = Container::new(1, number);
    let (first, last) = (first_port(number), first_port(number) + PORTS - 1);
    container.connection = container
        .connection
        .port(mapping("", first, 80, PORTS, "tcp"));
    let mut script = vec![publish(&container, &format!("{first}-{last}:80/tcp"))];
    script.extend(subnets(1).map(|subnet| format!("firewall.masquerade {subnet}")));
    let filter = [
        "accept incoming {} protocol=tcp ports=80,87",
        "drop incoming {} protocol=tcp",
    ];
    script.extend(filter.map(|line| both(&container, &format!("firewall.{line}"))));
    (container, script.join("; "))
}

fn many() {
    let number = how_many();
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let containers: Vec<_> = (2..number + 2).map(container).collect();
    let timed = |run: &dyn Fn(&Container, &str)| -> Vec<Duration> {
        let each = containers.iter().map(|(container, script)| {
            let start = Instant::now();
            run(container, script);
            start.elapsed()
        });
        each.collect()
    };
    println!("many: without rules, alone: {:?}", bare(&probe));
    let up = timed(&|container, script| container.up(&probe, script));
    println!("many: without rules, beside them: {:?}", bare(&probe));
    for index in [0, containers.len() / 2, containers.len() - 1] {
        let container = &containers[index].0;
        let port = first_port(u8::try_from(index).unwrap() + 2);
        for (own, host) in container.addresses().iter().zip(HOST) {
            for (more, leads) in [(0, true), (7, true), (9, false)] {
                let server = (&container.netns, &*at(own, 80 + more));
                let to = at(host, port + more);
                match leads {
                    true => drop(connect(Tcp, from(&world.neighbour), &to, server)),
                    false => cannot_connect(Tcp, from(&world.neighbour), &to, server),
                }
            }
        }
    }
    let start = Instant::now();
    let output = probe.wasmvark.administer(&["reload"]);
    println!("many: reload with nothing to do: {:?}", start.elapsed());
    assert!(
        output
            .stdout
            .contains(&format!("0 put back, {number} whole")),
        "{output:?}"
    );
    super::site::nft(&world.host, "flush ruleset");
    let start = Instant::now();
    let output = probe.wasmvark.administer(&["reload"]);
    println!("many: reload: {:?}", start.elapsed());
    assert!(
        output
            .stdout
            .contains(&format!("{number} put back, 0 whole")),
        "{output:?}"
    );
    let mut down = timed(&|container, _| container.down(&probe));
    down.reverse();
    assert_clean(&probe, &before);
    for (what, times) in [("setup", up), ("teardown", down)] {
        let [first, middle, last] = [0, times.len() / 2, times.len()].map(|end| about(&times, end));
        println!(
            "many: {what} of the first, the middle and the last of {number}: {first:?}, {middle:?}, {last:?}"
        );
        assert!(last < first * GROWTH, "{what}: {first:?}, then {last:?}");
    }
}

/// What setup and teardown of a container on the same bridge take.
fn bare(probe: &Probe<'_>) -> [Duration; 2] {
    let container = Container::new(1, 250);
    let timed = |run: &dyn Fn()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    let (mut up, mut down): (Vec<_>, Vec<_>) = (0..5)
        .map(|_| {
            let up = timed(&|| container.up(probe, ""));
            (up, timed(&|| container.down(probe)))
        })
        .unzip();
    up.sort();
    down.sort();
    [up[2], down[2]]
}

/// The median of a few times around a place.
fn about(times: &[Duration], place: usize) -> Duration {
    const FEW: usize = 9;
    let start = place
        .saturating_sub(FEW / 2)
        .min(times.len().saturating_sub(FEW));
    let mut few = times[start..].iter().take(FEW).copied().collect::<Vec<_>>();
    few.sort();
    few[few.len() / 2]
}
