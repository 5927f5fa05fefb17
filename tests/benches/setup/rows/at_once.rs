//! Many setups at a time, each on a network of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use wasmvark_tests::harness::Need;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places;
use wasmvark_tests::world::World;

use super::plugin::{NATIVE, moved};
use super::{Line, Row, Target, installed, name};
use crate::contender::Contender;
use crate::options::Options;
use crate::run::{Cost, Run, Running};
use crate::series::{Part, Series};

/// The networks.
const NETWORKS: usize = 32;
/// The setups whose mean is the time of one alone.
const ALONE: u32 = 8;
/// The time that stands for a multiple of 1, in milliseconds.
const MULTIPLE: f64 = 1e3;

pub(super) const ROW: Row = Row {
    name: "at-once",
    what: "32 setups at a time as a multiple of 1 : netavark's example",
    needs: &[Need::Root, Need::Macvlan],
    released: &[NATIVE],
    measure,
};

fn measure(options: &Options) -> Vec<Line> {
    let world = World::new();
    let wasmvark = installed(&world, &["host-device"]);
    let containers: Vec<Netns> = (0..NETWORKS).map(|_| Netns::empty()).collect();
    let neighbour = world.neighbour.path();
    let links = (0..NETWORKS).map(|number| {
        let (link, neighbour) = (link(number), neighbour.display());
        format!("link add {link} type veth peer {link} netns {neighbour}\n")
    });
    world.host.ip_batch(&[], &links.collect::<String>());
    let ours = wasmvark.plugins().join(name("host-device"));
    let theirs = places::fast_tool(NATIVE);
    let [mut ours, mut theirs] = [ours, theirs].map(|program| Crowd {
        host: &world.host,
        runs: runs(&program, wasmvark.root(), &containers),
    });
    let series = Series::run(options.rounds(12), &mut ours, &mut theirs);
    let mut line = Line::of(ROW.what, &series, Part::Setup).at_most(Target::Ratio(1.0));
    line.unit = "x";
    line.processor = None;
    // The contenders' times are multiples already.
    line.ours = Some(series.ours(Part::Setup).over(MULTIPLE));
    line.theirs = Some(series.theirs(Part::Setup).over(MULTIPLE));
    vec![line]
}

fn link(number: usize) -> String {
    format!("w{number}")
}

/// The runs of `setup` and `teardown` on each network.
fn runs(program: &Path, root: &Path, containers: &[Netns]) -> [Vec<Run>; 2] {
    ["setup", "teardown"].map(|verb| {
        let each = containers.iter().enumerate().map(|(number, netns)| {
            let connection = moved(&link(number))
                .network("name", format!("net{number}"))
                .network("id", format!("{number:064x}"))
                .container(&format!("{number:064x}"));
            Run::driver(program, root)
                .arg(verb)
                .arg(netns.path())
                .input(connection.for_plugin())
        });
        each.collect()
    })
}

/// Some setups one after the other, and then all at a time.
struct Crowd<'a> {
    host: &'a Netns,
    runs: [Vec<Run>; 2],
}

impl Contender for Crowd<'_> {
    /// Returns the multiple as a time: a second is 1.
    fn setup(&mut self) -> Cost {
        let [setups, teardowns] = &self.runs;
        let alone: Duration = setups
            .iter()
            .zip(teardowns)
            .take(ALONE as usize)
            .map(|(setup, teardown)| {
                let time = setup.time(self.host).time;
                teardown.time(self.host);
                time
            })
            .sum();
        let all = at_once(self.host, setups);
        at_once(self.host, teardowns);
        Duration::from_secs_f64(all.as_secs_f64() / (alone / ALONE).as_secs_f64()).into()
    }
}

/// Runs all at a time, and returns the time until the last one has ended.
fn at_once(host: &Netns, runs: &[Run]) -> Duration {
    host.run(|| {
        let inputs: Vec<_> = runs.iter().map(Run::prepared).collect();
        let start = Instant::now();
        let started = runs.iter().zip(inputs);
        let mut running: Vec<_> = started.map(|(run, input)| run.start(input)).collect();
        let ended: Vec<_> = running.iter_mut().map(Running::wait).collect();
        let time = start.elapsed();
        for (one, status) in running.into_iter().zip(ended) {
            one.output(status);
        }
        time
    })
}
