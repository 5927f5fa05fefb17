//! Many containers that start and stop at the same time, while some runs are killed at
//! random moments.

use std::io::Write;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::{Dump, assert_unchanged};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{PARENT, World};

use crate::fail::NEEDS;

const CONTAINERS: usize = 100;
const NETWORKS: usize = 4;
const AT_A_TIME: usize = 16;
/// How many runs each container sees before its last teardown.
const RUNS: usize = 4;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("storm", NEEDS, storm);
}

/// The networks with an odd number have a bridge, which their containers
/// share.
const MACVLAN: &str = "storm-macvlan";
const SHARING: &str = "storm-bridge";

/// A container on one of the networks.
struct Container {
    netns: Netns,
    driver: &'static str,
    document: String,
}

impl Container {
    fn new(number: usize) -> Self {
        let network = number % NETWORKS;
        let (driver, interface) = match network % 2 {
            0 => (MACVLAN, PARENT.to_owned()),
            _ => (SHARING, format!("br{network}")),
        };
        let connection = Connection::new(driver)
            .network("network_interface", interface)
            .network("name", format!("net{network}"))
            .network("id", format!("{network:064x}"))
            .container(&format!("{number:064x}"))
            .subnet(
                &format!("10.{}.0.0/16", 88 + network),
                &format!("10.{}.0.1", 88 + network),
            )
            .ip(&format!("10.{}.1.{number}", 88 + network));
        Self {
            netns: Netns::new(),
            driver,
            document: connection.for_plugin(),
        }
    }
}

/// How the runs ended.
#[derive(Default)]
struct Count {
    killed: AtomicU32,
    succeeded: AtomicU32,
    failed: AtomicU32,
}

fn storm() {
    let seed = seed();
    println!("storm: WASMVARK_STORM_SEED={seed}");
    let world = World::forwarding();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("macvlan", MACVLAN, &Grant::macvlan());
    wasmvark.install("bridge", SHARING, &Grant::example("bridge"));
    let containers: Vec<Container> = (0..CONTAINERS).map(Container::new).collect();
    let host = Dump::of(&world.host);
    let inside = Dump::of(&containers[0].netns);

    let longest = time_of_a_setup(&wasmvark, &containers);
    let count = Count::default();
    for_each(&containers, |number, container| {
        let mut random = Random::new(seed ^ (number as u64 + 1));
        for _ in 0..RUNS {
            let command = if random.below(3) == 0 {
                "teardown"
            } else {
                "setup"
            };
            let patience = (random.below(4) != 0).then(|| longest.mul_f64(random.fraction()));
            let ended = match run_for(&wasmvark, container, command, patience) {
                None => &count.killed,
                Some(0) => &count.succeeded,
                Some(_) => &count.failed,
            };
            ended.fetch_add(1, Ordering::SeqCst);
        }
    });
    for_each(&containers, |number, container| {
        let output = run(&wasmvark, container, "teardown");
        assert_eq!(output.code, Some(0), "container {number}: {output:?}");
    });

    println!(
        "storm: {} runs killed within {longest:?}, {} succeeded, {} failed",
        count.killed.into_inner(),
        count.succeeded.into_inner(),
        count.failed.into_inner(),
    );
    assert_unchanged(&world.host, &host, "the host's namespace");
    for_each(&containers, |number, container| {
        assert_unchanged(&container.netns, &inside, &format!("container {number}"));
    });
    assert!(
        wasmvark.run_files().is_empty(),
        "{:?}",
        wasmvark.run_files()
    );
}

/// How long a setup takes while as many others run.
fn time_of_a_setup(wasmvark: &Wasmvark<'_>, containers: &[Container]) -> Duration {
    let longest = Mutex::new(Duration::ZERO);
    for_each(&containers[..AT_A_TIME], |_, container| {
        let start = Instant::now();
        let output = run(wasmvark, container, "setup");
        assert_eq!(output.code, Some(0), "{output:?}");
        let mut longest = longest.lock().unwrap();
        *longest = start.elapsed().max(*longest);
    });
    longest.into_inner().unwrap()
}

/// Does something for all containers, some at a time.
fn for_each(containers: &[Container], work: impl Fn(usize, &Container) + Sync) {
    let queue = Mutex::new(containers.iter().enumerate());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((number, container)) = next else {
                        break;
                    };
                    work(number, container);
                }
            });
        }
    });
}

fn run(wasmvark: &Wasmvark<'_>, container: &Container, command: &str) -> process::Output {
    let mut plugin = wasmvark.plugin_command(container.driver);
    plugin.arg(command).arg(container.netns.path());
    process::run(&mut plugin, container.document.as_bytes())
}

/// Runs a command, and kills it when `patience` is over. The exit code, unless
/// it was killed.
fn run_for(
    wasmvark: &Wasmvark<'_>,
    container: &Container,
    command: &str,
    patience: Option<Duration>,
) -> Option<i32> {
    let Some(patience) = patience else {
        return run(wasmvark, container, command).code;
    };
    let mut plugin = wasmvark.plugin_command(container.driver);
    plugin.arg(command).arg(container.netns.path());
    plugin
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = plugin.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(container.document.as_bytes()).unwrap();
    drop(stdin);
    thread::sleep(patience);
    // It may have come to its end before.
    child.kill().unwrap();
    child.wait().unwrap().code()
}

/// `WASMVARK_STORM_SEED`, or a new one.
fn seed() -> u64 {
    if let Ok(seed) = std::env::var("WASMVARK_STORM_SEED") {
        return seed.parse().expect("the seed is a number");
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::from(now.unwrap().subsec_nanos())
}

/// Numbers that follow from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(1 << 32)).unwrap()) / f64::from(u32::MAX)
    }
}
