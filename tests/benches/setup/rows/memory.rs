//! The peak memory of a setup, in Rust and in C.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Need;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use super::{Line, Row, Target};
use crate::contender::{Contender, Pair};
use crate::figures::Spread;
use crate::itself;
use crate::options::Options;

pub(super) const ROW: Row = Row {
    name: "memory",
    what: "peak memory of macvlan's setup",
    needs: &[Need::Root, Need::Macvlan],
    released: &[],
    measure,
};

fn measure(options: &Options) -> Vec<Line> {
    let of = |title, guest, grant: &Grant| {
        let peak = peak(options, guest, grant);
        let line = Line::alone(format!("{}, {title}", ROW.what), "MiB", peak);
        line.at_most(Target::Ours(6.0))
    };
    vec![
        of("driver in Rust", "macvlan", &Grant::example("macvlan")),
        of("driver in C", "macvlan-c", &Grant::macvlan()),
    ]
}

fn peak(options: &Options, guest: &str, grant: &Grant) -> Spread {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install(guest, "driver", grant);
    let connection = Connection::v4("driver");
    let program = wasmvark.plugins().join("driver");
    let setup = itself::peak_memory_of(&program)
        .env("WASMVARK_ROOT", wasmvark.root())
        .arg("setup")
        .arg(world.container.path())
        .input(connection.for_plugin());
    let mut pair = Pair::plugin(&world, &program, wasmvark.root(), &connection);
    Spread::of((0..options.rounds(10)).map(|_| {
        let (_, text) = setup.time_and_read(&world.host);
        pair.teardown();
        let kib: u32 = text.trim().parse().expect("a number");
        f64::from(kib) / 1024.0
    }))
}
