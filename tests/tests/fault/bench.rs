//! The world of the fault tests. It tries point after point, and checks after each one
//! that the world is as before.

use std::path::PathBuf;

use wasmvark_tests::dump::Dump;
use wasmvark_tests::poll;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::{Before, World};

use crate::case::{Case, NAME};
use crate::points::{Point, Trace};

/// A world with a driver in a build that makes faults on request.
pub(crate) struct Bench<'a> {
    pub(crate) case: Case,
    world: &'a World,
    wasmvark: Wasmvark<'a>,
    document: String,
    /// Faults of every setup in which something goes wrong.
    always: String,
    /// Before the first run.
    before: Before,
    /// After a setup that nothing disturbs.
    pub(crate) connected: Before,
    /// The files of the DNS server then.
    names: Vec<String>,
}

/// What a trial does at one point; the error says what is wrong after it.
pub(crate) type Try = fn(&Bench<'_>, &Point) -> Result<(), String>;

impl<'a> Bench<'a> {
    fn new(case: Case, world: &'a World) -> Self {
        (case.prepare)(world);
        let wasmvark = Wasmvark::faulty(world);
        wasmvark.install(case.guest, NAME, &(case.grant)());
        let before = world.dump();
        let mut bench = Self {
            case,
            world,
            wasmvark,
            document: case.connection().for_plugin(),
            always: String::new(),
            connected: before.clone(),
            names: Vec::new(),
            before,
        };
        bench.always = bench.permanent_fault();
        bench.succeeds("setup").unwrap();
        bench.connected = world.dump();
        bench.names = bench.files_of_names();
        bench.end_point("").unwrap();
        bench
    }

    /// The case's own fault, with the number of the operation that makes the
    /// link.
    fn permanent_fault(&self) -> String {
        if self.case.always.is_empty() {
            return String::new();
        }
        let trace = self.trace("setup");
        self.end_point("").unwrap();
        let number = trace
            .operations()
            .position(|place| place.contains("netlink/create_link.rs"))
            .expect("a link is made");
        self.case.always.replace("MAKE", &(number + 1).to_string())
    }

    /// Runs `setup` or `teardown`, with a fault unless it's empty.
    pub(crate) fn run(&self, command: &str, fault: &str) -> Output {
        self.run_with(command, fault, None)
    }

    fn run_with(&self, command: &str, fault: &str, count: Option<PathBuf>) -> Output {
        // A kill comes before an error of the same operation.
        if command == "setup" && (count.is_some() || !fault.is_empty()) {
            return self.run_next(command, &format!("{fault},{}", self.always), count);
        }
        self.run_next(command, fault, count)
    }

    /// The same without the case's own fault, whose number fits only where
    /// nothing is left of a run before.
    pub(crate) fn run_next(&self, command: &str, fault: &str, count: Option<PathBuf>) -> Output {
        let mut plugin = self.wasmvark.plugin_command(NAME);
        plugin.arg(command).arg(self.world.container.path());
        plugin.env("WASMVARK_FAULT", fault);
        if let Some(file) = count {
            plugin.env("WASMVARK_FAULT_COUNT", file);
        }
        process::run(&mut plugin, self.document.as_bytes())
    }

    /// What a run without further faults does.
    pub(crate) fn trace(&self, command: &str) -> Trace {
        self.trace_of(command, |count| self.run_with(command, "", Some(count)))
    }

    /// The same without the case's own fault.
    pub(crate) fn trace_next(&self, command: &str) -> Trace {
        self.trace_of(command, |count| self.run_next(command, "", Some(count)))
    }

    fn trace_of(&self, command: &str, run: impl FnOnce(PathBuf) -> Output) -> Trace {
        let file = self.world.file("trace");
        let _ = std::fs::remove_file(&file);
        let output = run(file.clone());
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
        Trace::read(&file)
    }

    /// A run that a fault doesn't reach.
    pub(crate) fn succeeds(&self, command: &str) -> Result<(), String> {
        let output = self.run(command, "");
        match output.code {
            Some(0) => Ok(()),
            _ => Err(format!("{command} fails: {output:?}")),
        }
    }

    /// A run that a fault kills.
    pub(crate) fn is_killed(&self, command: &str, point: &Point) -> Result<(), String> {
        killed(command, &self.run(command, &point.fault))
    }

    /// Whether the world differs from what it was before the first run.
    pub(crate) fn is_changed(&self) -> bool {
        self.world.dump() != self.before
    }

    /// Lists the DNS server's files with their texts.
    fn files_of_names(&self) -> Vec<String> {
        let folder = self.wasmvark.root().join("containers/networks");
        let folders = [folder.clone(), folder.join("aardvark-dns")];
        let entries = folders.iter().filter_map(|folder| folder.read_dir().ok());
        let paths = entries.flatten().flatten().map(|entry| entry.path());
        let files = paths.filter(|path| path.is_file() && !path.ends_with("aardvark.lock"));
        let mut files: Vec<String> = files
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                format!("{}: {text}", path.display())
            })
            .collect();
        files.sort();
        files
    }

    /// Compares both namespaces with a state that they should be in.
    pub(crate) fn compare(&self, should: &Before) -> Result<(), String> {
        let names = self.files_of_names();
        let is_connected = std::ptr::eq(should, &self.connected);
        let expected = if is_connected { &self.names[..] } else { &[] };
        if names != expected {
            return Err(format!("files of names: {names:?}, not {expected:?}"));
        }
        let should = self.without_chosen(should.clone());
        let now = || self.without_chosen(self.world.dump());
        let now = poll::until(now, |now| *now == should);
        let host = should.host.differences(&now.host);
        let container = should.container.differences(&now.container);
        if host.is_empty() && container.is_empty() {
            return Ok(());
        }
        Err(format!(
            "on the host:\n{host}in the container:\n{container}"
        ))
    }

    fn without_chosen(&self, Before { host, container }: Before) -> Before {
        let without = |dump: Dump| {
            let chosen = self.case.chosen.iter();
            // The kernel notices once a second that they can carry packets.
            chosen.fold(dump, |dump, link| {
                dump.without_mac(link).without(link, &["operstate"])
            })
        };
        Before {
            host: without(host),
            container: without(container),
        }
    }

    /// Everything is as before the first run, and neither a journal nor a
    /// lock is left.
    pub(crate) fn nothing_is_left(&self) -> Result<(), String> {
        self.compare(&self.before)?;
        let files = self.wasmvark.run_files();
        if files.is_empty() {
            return Ok(());
        }
        let text = |file| std::fs::read_to_string(file).unwrap_or_default();
        let texts: Vec<String> = files.iter().map(text).collect();
        Err(format!("{files:?} are left: {}", texts.concat()))
    }

    /// A teardown without faults, after which nothing is left.
    pub(crate) fn end_point(&self, what: &str) -> Result<(), String> {
        let ended = self
            .succeeds("teardown")
            .and_then(|()| self.nothing_is_left());
        ended.map_err(|error| format!("{what}{error}"))
    }
}

/// Checks that a run was killed.
pub(crate) fn killed(command: &str, output: &Output) -> Result<(), String> {
    match output.code {
        None => Ok(()),
        Some(_) => Err(format!("{command} is not killed: {output:?}")),
    }
}

/// How many points of a trial may fail before it ends: each waits for the world
/// to become what it should be.
const FAILURES: usize = 10;

/// Tries all points and prints how many they are. A point that fails doesn't
/// keep the others from being tried, in a new world.
pub(crate) fn try_all(case: Case, title: &str, points: fn(&Bench<'_>) -> Vec<Point>, attempt: Try) {
    let mut left: Option<std::vec::IntoIter<Point>> = None;
    let (mut count, mut failures) = (0, Vec::new());
    loop {
        let world = World::new();
        let bench = Bench::new(case, &world);
        let left = left.get_or_insert_with(|| points(&bench).into_iter());
        let failed = left.find_map(|point| {
            count += 1;
            // Where it's slow, who waits must see that it goes on.
            if count % 50 == 0 {
                println!("fault: {} {title}: {count} points so far", case.title);
            }
            let error = attempt(&bench, &point).err()?;
            let before = point.before.unwrap_or_default();
            Some(format!(
                "{before} {} ({}): {error}",
                point.fault, point.place
            ))
        });
        let Some(failure) = failed else { break };
        failures.push(failure);
        if failures.len() == FAILURES {
            break;
        }
    }
    println!("fault: {} {title}: {count} points", case.title);
    let number = failures.len();
    assert!(
        failures.is_empty(),
        "{number} of {count}:\n{}",
        failures.join("\n")
    );
}

/// The points of a setup.
pub(crate) fn of_setup(bench: &Bench<'_>, points: fn(&Trace) -> Vec<Point>) -> Vec<Point> {
    let trace = bench.trace("setup");
    bench.end_point("").unwrap();
    points(&trace)
}

/// The points of a teardown.
pub(crate) fn of_teardown(bench: &Bench<'_>, points: fn(&Trace) -> Vec<Point>) -> Vec<Point> {
    bench.succeeds("setup").unwrap();
    let trace = bench.trace("teardown");
    bench.nothing_is_left().unwrap();
    points(&trace)
}
