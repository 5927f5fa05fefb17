//! The points at which a run can be killed or fail.

use std::ops::RangeInclusive;
use std::path::Path;

/// One point, and how it's reached.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// What killed the setup before: the fault of a run of its own.
    pub(crate) before: Option<String>,
    /// The value of `WASMVARK_FAULT`.
    pub(crate) fault: String,
    /// What is done there, for messages.
    pub(crate) place: String,
}

impl Point {
    fn new(fault: String, place: &str) -> Self {
        Self {
            before: None,
            fault,
            place: place.to_owned(),
        }
    }
}

/// Whether every point is to be tried, also those that hardly ever tell anything
/// new: `WASMVARK_TEST_FAULTS=all`. That takes about twice the time.
pub(crate) fn all_are_wanted() -> bool {
    std::env::var_os("WASMVARK_TEST_FAULTS").is_some_and(|which| which == "all")
}

/// Where writes are done.
const JOURNAL: &str = "journal";

/// The errors that an operation fails with.
const ERRNOS: [&str; 5] = ["EPERM", "EBUSY", "EEXIST", "ENOMEM", "ENODEV"];

/// How a write of a journal fails; `short` is one of which half is done.
const FAILED_WRITES: [(&str, &str); 3] = [
    ("failwrite", ":ENOSPC"),
    ("failwrite", ":EIO"),
    ("short", ""),
];

/// What a run does that others can see.
#[derive(Debug)]
enum Event {
    /// An operation on the kernel, with its place in the program.
    Operation(String),
    /// A write of a journal.
    Write,
}

/// What a run does, in its order.
#[derive(Debug)]
pub(crate) struct Trace(Vec<Event>);

impl Trace {
    /// Reads what a run wrote to the file of `WASMVARK_FAULT_COUNT`.
    pub(crate) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let event = |line: &str| match line.strip_prefix("operation ") {
            Some(place) => Event::Operation(place.to_owned()),
            None => {
                assert_eq!(line, "write", "{text}");
                Event::Write
            }
        };
        let trace = Self(text.lines().map(event).collect());
        assert!(trace.operations().next().is_some(), "{text}");
        trace
    }

    /// The places of all operations on the kernel.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|event| match event {
            Event::Operation(place) => Some(&**place),
            Event::Write => None,
        })
    }

    fn writes(&self) -> usize {
        self.0.len() - self.operations().count()
    }

    /// SIGKILL before each operation and each write, halfway through each write,
    /// and after the last of all: what comes after one comes before the next.
    pub(crate) fn kills(&self) -> Vec<Point> {
        let (mut operations, mut writes) = (0, 0);
        let mut points = Vec::new();
        for event in &self.0 {
            match event {
                Event::Operation(place) => {
                    operations += 1;
                    points.push(Point::new(format!("kill:{operations}"), place));
                }
                Event::Write => {
                    writes += 1;
                    let kills = ["killbeforewrite", "tear"].map(|kill| format!("{kill}:{writes}"));
                    points.extend(kills.map(|kill| Point::new(kill, JOURNAL)));
                }
            }
        }
        points.extend(self.0.last().map(|last| match last {
            Event::Operation(place) => Point::new(format!("killafter:{operations}"), place),
            Event::Write => Point::new(format!("killafterwrite:{writes}"), JOURNAL),
        }));
        points
    }

    /// Each write fails in each way.
    pub(crate) fn failed_writes(&self) -> Vec<Point> {
        let numbers = self.write_numbers();
        numbers
            .flat_map(|number| FAILED_WRITES.map(|way| failed_write(number, way)))
            .collect()
    }

    /// Each write fails in one way: the first in the first of them, and so on.
    pub(crate) fn failed_writes_in_turn(&self) -> Vec<Point> {
        let ways = FAILED_WRITES.into_iter().cycle();
        let numbers = self.write_numbers().zip(ways);
        numbers
            .map(|(number, way)| failed_write(number, way))
            .collect()
    }

    fn write_numbers(&self) -> RangeInclusive<usize> {
        assert!(self.writes() > 0, "a run writes its journal: {self:?}");
        1..=self.writes()
    }

    /// What this run does before it does the same as another one.
    pub(crate) fn before(mut self, same: &Self) -> Self {
        self.0.truncate(self.0.len() - same.0.len());
        self
    }

    /// SIGKILL right after the last write.
    pub(crate) fn end(&self) -> String {
        format!("killafterwrite:{}", self.writes())
    }

    /// Each operation fails with each error.
    pub(crate) fn failures(&self) -> Vec<Point> {
        self.numbered()
            .flat_map(|(number, place)| {
                ERRNOS.map(|errno| Point::new(format!("fail:{number}:{errno}"), place))
            })
            .collect()
    }

    /// The host's own code panics before some operations: each `step`th.
    pub(crate) fn panics(&self, step: usize) -> Vec<Point> {
        self.numbered()
            .step_by(step)
            .map(|(number, place)| Point::new(format!("panic:{number}"), place))
            .collect()
    }

    /// Each operation fails with one error: the first with the first of them,
    /// the second with the second, and so on.
    pub(crate) fn failures_in_turn(&self) -> Vec<Point> {
        self.numbered()
            .zip(ERRNOS.iter().cycle())
            .map(|((number, place), errno)| Point::new(format!("fail:{number}:{errno}"), place))
            .collect()
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.operations())
    }
}

fn failed_write(number: usize, (fault, errno): (&str, &str)) -> Point {
    Point::new(format!("{fault}:{number}{errno}"), JOURNAL)
}
