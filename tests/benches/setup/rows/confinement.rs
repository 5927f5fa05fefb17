//! The share of the confinement in a setup.

use std::time::Duration;

use wasmvark_tests::harness::Need;
use wasmvark_tests::world::{PARENT, World};

use super::plugin::moved;
use super::{Line, Row, installed, name};
use crate::contender::Pair;
use crate::itself;
use crate::options::Options;
use crate::series::{Part, Series};

pub(super) const ROW: Row = Row {
    name: "confinement",
    what: "confining a process : host-device's setup",
    needs: &[Need::Root, Need::Macvlan, Need::Confinement],
    released: &[],
    measure,
};

fn measure(options: &Options) -> Vec<Line> {
    let world = World::new();
    let wasmvark = installed(&world, &["host-device"]);
    let program = wasmvark.plugins().join(name("host-device"));
    let mut setup = Pair::plugin(&world, &program, wasmvark.root(), &moved(PARENT));
    let mut confining = || {
        let (_, text) = itself::confining().time_and_read(&world.host);
        Duration::from_nanos(text.trim().parse().expect("a number")).into()
    };
    let series = Series::run(options.rounds(50), &mut confining, &mut setup);
    let line = Line::of(ROW.what, &series, Part::Setup);
    let processor = None;
    vec![Line { processor, ..line }]
}
