//! Where a run can go wrong.

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

/// What a run does, in its order.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The places in the program of all operations on the kernel.
    pub(crate) operations: Vec<String>,
    writes: usize,
}

impl Trace {
    /// Reads what a run wrote to the file of `WASMVARK_FAULT_COUNT`.
    pub(crate) fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let operations: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("operation "))
            .map(str::to_owned)
            .collect();
        let writes = text.lines().filter(|line| *line == "write").count();
        assert_eq!(operations.len() + writes, text.lines().count(), "{text}");
        assert!(!operations.is_empty() && writes > 0, "{text}");
        Self { operations, writes }
    }

    /// SIGKILL before, after and halfway through each operation and write.
    pub(crate) fn kills(&self) -> Vec<Point> {
        let operations = self.numbered().flat_map(|(number, place)| {
            ["kill", "killafter"].map(|kill| Point::new(format!("{kill}:{number}"), place))
        });
        let writes = (1..=self.writes).flat_map(|number| {
            ["killbeforewrite", "tear", "killafterwrite"]
                .map(|kill| Point::new(format!("{kill}:{number}"), JOURNAL))
        });
        operations.chain(writes).collect()
    }

    /// Each write fails in each way.
    pub(crate) fn failed_writes(&self) -> Vec<Point> {
        (1..=self.writes)
            .flat_map(|number| {
                FAILED_WRITES
                    .map(|(fault, errno)| Point::new(format!("{fault}:{number}{errno}"), JOURNAL))
            })
            .collect()
    }

    /// What this run does before it does the same as another one.
    pub(crate) fn before(mut self, same: &Self) -> Self {
        let own = self.operations.len() - same.operations.len();
        self.operations.truncate(own);
        self.writes -= same.writes;
        self
    }

    /// SIGKILL right after the last write.
    pub(crate) fn end(&self) -> String {
        format!("killafterwrite:{}", self.writes)
    }

    /// Each operation fails with each error.
    pub(crate) fn failures(&self) -> Vec<Point> {
        self.numbered()
            .flat_map(|(number, place)| {
                ERRNOS.map(|errno| Point::new(format!("fail:{number}:{errno}"), place))
            })
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

    fn numbered(&self) -> impl Iterator<Item = (usize, &String)> {
        (1..).zip(&self.operations)
    }
}
