//! Where a run can go wrong.

use std::path::Path;

/// One point, and how it's reached.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// The value of `WASMVARK_FAULT`.
    pub(crate) fault: String,
    /// What is done there, for messages.
    pub(crate) place: String,
}

/// The errors that an operation fails with.
const ERRNOS: [&str; 5] = ["EPERM", "EBUSY", "EEXIST", "ENOMEM", "ENODEV"];

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
            ["kill", "killafter"].map(|kill| Point {
                fault: format!("{kill}:{number}"),
                place: place.clone(),
            })
        });
        let writes = (1..=self.writes).flat_map(|number| {
            ["killbeforewrite", "tear", "killafterwrite"].map(|kill| Point {
                fault: format!("{kill}:{number}"),
                place: "journal".to_owned(),
            })
        });
        operations.chain(writes).collect()
    }

    /// Each operation fails with each error.
    pub(crate) fn failures(&self) -> Vec<Point> {
        self.numbered()
            .flat_map(|(number, place)| {
                ERRNOS.map(|errno| Point {
                    fault: format!("fail:{number}:{errno}"),
                    place: place.clone(),
                })
            })
            .collect()
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &String)> {
        (1..).zip(&self.operations)
    }
}
