//! Runs of `wasmvark reload` that are killed or fail, at every point. A container's
//! rules are restored completely or not at all, and the next run restores the rest.

use wasmvark_tests::connection::{Connection, mapping};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::case::NAME;
use crate::points::{self, Point, Trace};

const NEEDS: &[Need] = &[Need::Root, Need::Nft];
/// The table of the driver.
const TABLE: &str = "wasmvark-driver";

pub(crate) fn register(suite: &mut Suite) {
    suite.test("reload/kill", NEEDS, || try_all(Trace::kills));
    let failures = match points::all_are_wanted() {
        true => Trace::failures,
        false => Trace::failures_in_turn,
    };
    suite.test("reload/errors", NEEDS, move || try_all(failures));
}

fn connection(number: u8) -> Connection {
    Connection::new(NAME)
        .network("network_interface", "br0")
        .subnet("10.77.0.0/24", "10.77.0.1")
        .container(&format!("{number:064x}"))
        .ip(&format!("10.77.0.{number}"))
        .option("isolate", "true")
        .port(mapping("", 8000 + u16::from(number), 80, 1, "tcp"))
}

fn reload(wasmvark: &Wasmvark<'_>, variables: &[(&str, &str)]) -> Output {
    let mut command = wasmvark.command("reload");
    command.envs(variables.iter().copied());
    process::run(&mut command, b"")
}

fn try_all(choose: fn(&Trace) -> Vec<Point>) {
    let world = World::forwarding();
    let wasmvark = Wasmvark::faulty(&world);
    wasmvark.install("bridge", NAME, &Grant::example("bridge"));
    let before = world.dump();
    let containers = [2, 3].map(|number| (connection(number), Netns::new()));
    let run = |command: &str, (connection, netns): &(Connection, Netns)| {
        let path = netns.path();
        let arguments = [command, &*path.to_string_lossy()];
        wasmvark.plugin(NAME, &arguments, connection.for_plugin())
    };
    let of_one = {
        answer_of(&run("setup", &containers[0]));
        Dump::of(&world.host)
    };
    answer_of(&run("setup", &containers[1]));
    let of_both = Dump::of(&world.host);
    let flush = || {
        let mut nft = world.host.command(places::NFT);
        let output = process::run(nft.args(["flush", "ruleset"]), b"");
        assert_eq!(output.code, Some(0), "{output:?}");
    };
    let file = world.file("trace").to_string_lossy().into_owned();
    flush();
    let output = reload(&wasmvark, &[("WASMVARK_FAULT_COUNT", &file)]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let points = choose(&Trace::read(file.as_ref()));
    println!("fault: reload: {} points", points.len());
    let mut failures = Vec::new();
    for point in points {
        flush();
        let ended = reload(&wasmvark, &[("WASMVARK_FAULT", &point.fault)]);
        let found = Dump::of(&world.host);
        let table = found.table(TABLE);
        let whole = [Vec::new(), of_one.table(TABLE), of_both.table(TABLE)];
        // What was asked for may have come about, and the error after it.
        let ends_as_it_says = ended.code != Some(0) || table == whole[2];
        let again = reload(&wasmvark, &[]);
        let after = Dump::of(&world.host);
        let restored = after.table(TABLE) == whole[2];
        let second_alone = !whole.contains(&table) && ended.code == Some(1);
        if !(ends_as_it_says && restored && again.code == Some(0))
            || !(whole.contains(&table) || second_alone)
        {
            failures.push(format!("{}: {ended:?}\nthen {again:?}", point.fault));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for container in &containers {
        let output = run("teardown", container);
        assert_eq!(output.code, Some(0), "{output:?}");
    }
    world.assert_unchanged(&before);
}
