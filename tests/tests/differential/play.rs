//! A sequence before both kernels, and what becomes of it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use sim::{EdgeKind, Simulation};
use types::Mac;

use crate::dump::{self, Depth, Dump};
use crate::generate;
use crate::machine::{Machine, simulated};
use crate::operation::Operation;
use crate::pools::{Draw, is_given};
use crate::probe::Features;
use crate::side::Side;

/// How many operations a sequence has.
const LENGTH: u32 = 40;
/// How long the kernel may take for what it does a little later.
const LATE: Duration = Duration::from_secs(3);

/// What the two kernels don't agree in.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// How many operations it took.
    pub(crate) after: usize,
    pub(crate) real: Vec<String>,
    pub(crate) simulated: Vec<String>,
}

/// The operations of a sequence.
pub(crate) fn operations(seed: u64, features: &Features) -> Vec<Operation> {
    let mut draw = Draw::new(seed);
    (0..LENGTH)
        .map(|_| generate::operation(&mut draw, features))
        .collect()
}

/// Plays operations before both kernels, up to the first difference.
pub(crate) fn play(
    operations: &[Operation],
    stride: usize,
    features: &Features,
) -> Option<Difference> {
    let machine = Machine::new();
    machine.run_with(|netlink| {
        let simulation = simulated();
        let mut play = Play {
            real: Side::new(Box::new(netlink)),
            simulated: Side::new(Box::new(simulation.clone())),
            simulation,
            macs: Macs::default(),
            features,
        };
        for (number, operation) in operations.iter().enumerate() {
            let after = number + 1;
            let is_last = after == operations.len();
            let found = play.answer(operation).or_else(|| match () {
                () if is_last => play.compare(Depth::Full),
                () if after % stride == 0 => play.compare(Depth::Short),
                () => None,
            });
            if let Some((real, simulated)) = found {
                return Some(Difference {
                    after,
                    real,
                    simulated,
                });
            }
        }
        None
    })
}

/// The least operations that make a difference. Operations are dropped one by one
/// for as long as there still is one.
pub(crate) fn shrink(
    operations: &[Operation],
    found: Difference,
    features: &Features,
) -> (Vec<Operation>, Difference) {
    let mut shortest = (operations[..found.after].to_vec(), found);
    if let Some(sooner) = play(&shortest.0, 1, features) {
        shortest.0.truncate(sooner.after);
        shortest.1 = sooner;
    }
    let mut place = shortest.0.len();
    while place > 0 {
        place -= 1;
        let mut fewer = shortest.0.clone();
        if place >= fewer.len() {
            continue;
        }
        fewer.remove(place);
        if let Some(difference) = play(&fewer, 1, features) {
            fewer.truncate(difference.after);
            shortest = (fewer, difference);
        }
    }
    shortest
}

type Both = (Vec<String>, Vec<String>);

struct Play<'a> {
    features: &'a Features,
    real: Side,
    simulated: Side,
    simulation: Simulation,
    macs: Macs,
}

impl Play<'_> {
    fn answer(&mut self, operation: &Operation) -> Option<Both> {
        let until = Instant::now() + LATE;
        loop {
            let real = self.real.apply(operation);
            let simulated = self.simulated.apply(operation);
            if real == simulated {
                return None;
            }
            // The kernel puts new IPv6 addresses into its table of local ones a
            // little later (`addrconf_dad_work`), and asks that for gateways. What
            // has changed nothing can be asked again.
            let is_asked =
                operation.is_of_ipv6_route() && [&real, &simulated].iter().all(|it| has_failed(it));
            if !is_asked || Instant::now() > until {
                return Some((vec![real], vec![simulated]));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The bridges that have the lowest MAC address of several ports: which that is
    /// depends on those that the kernel chooses.
    fn bridges(&self) -> Vec<String> {
        let topology = self.simulation.topology();
        let mut bridges = Vec::new();
        for namespace in topology.namespaces {
            let assumed = namespace.links.into_iter();
            let assumed = assumed.filter(|link| link.mac_assumed);
            let kinds = assumed.filter(|link| link.kind.as_deref() == Some("bridge"));
            bridges.extend(kinds.map(|link| format!("{}:{}", namespace.name, link.name)));
        }
        let ports = topology
            .edges
            .iter()
            .filter(|edge| edge.kind == EdgeKind::Master);
        let masters = ports.map(|edge| format!("{}:{}", edge.to.namespace, edge.to.link));
        let masters: Vec<String> = masters.collect();
        bridges.retain(|bridge| masters.iter().filter(|master| *master == bridge).count() > 1);
        bridges
    }

    fn compare(&mut self, depth: Depth) -> Option<Both> {
        let until = Instant::now() + LATE;
        loop {
            let real = dump::of(&mut *self.real.kernel, depth, self.features)
                .expect("the kernel can be read");
            let simulated = dump::of(&mut *self.simulated.kernel, depth, self.features);
            let simulated = simulated.expect("the simulation can be read");
            let found = differences(&real, &simulated)
                .or_else(|| self.macs.compare(&real, &simulated, &self.bridges()));
            if found.is_some() {
                return found;
            }
            if real.late == simulated.late {
                return None;
            }
            if Instant::now() > until {
                return Some(apart(&real.late, &simulated.late));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn differences(real: &Dump, simulated: &Dump) -> Option<Both> {
    (real.lines != simulated.lines).then(|| apart(&real.lines, &simulated.lines))
}

/// Whether an operation has failed and changed nothing.
fn has_failed(answer: &str) -> bool {
    answer.starts_with("failed: E")
}

/// The lines that only one of both has.
fn apart(real: &[String], simulated: &[String]) -> Both {
    let only = |one: &[String], other: &[String]| {
        let lines = one.iter().filter(|line| !other.contains(line));
        lines.cloned().collect()
    };
    (only(real, simulated), only(simulated, real))
}

/// The MAC addresses that the real kernel has chosen at random, and those that
/// stand for them in memory. Each stands for one.
#[derive(Default)]
struct Macs {
    simulated: BTreeMap<[u8; 6], Mac>,
    real: BTreeMap<[u8; 6], Mac>,
}

impl Macs {
    fn compare(&mut self, real: &Dump, simulated: &Dump, bridges: &[String]) -> Option<Both> {
        // What else has a bridge's has it from there.
        let unknown: Vec<(Option<&Mac>, Option<&Mac>)> = bridges
            .iter()
            .map(|bridge| (real.macs.get(bridge), simulated.macs.get(bridge)))
            .collect();
        let mut apart = (Vec::new(), Vec::new());
        let all = real.macs.keys().chain(simulated.macs.keys());
        let mut whose: Vec<&String> = all.collect();
        whose.sort();
        whose.dedup();
        for whose in whose {
            let (one, other) = (real.macs.get(whose), simulated.macs.get(whose));
            if unknown.contains(&(one, other)) {
                continue;
            }
            if !self.is_same(one.copied(), other.copied()) {
                apart.0.push(format!("{whose}: {one:?}"));
                apart.1.push(format!("{whose}: {other:?}"));
            }
        }
        (!apart.0.is_empty()).then_some(apart)
    }

    fn is_same(&mut self, real: Option<Mac>, simulated: Option<Mac>) -> bool {
        let (Some(real), Some(simulated)) = (real, simulated) else {
            return real == simulated;
        };
        if is_given(real) || is_given(simulated) {
            return real == simulated;
        }
        let stands_for = self.simulated.entry(real.bytes()).or_insert(simulated);
        let stood_for = self.real.entry(simulated.bytes()).or_insert(real);
        (*stands_for, *stood_for) == (simulated, real)
    }
}
