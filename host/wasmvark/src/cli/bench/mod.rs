//! `wasmvark bench`: how long a driver takes, and what it uses of its limits.

mod report;
mod suggested;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use engine::driver::Usage;
use policy::Limits;
use types::Digest;

use super::test::{Case, CaseError, Drivers, find_cases, run_case};
use super::{CliError, Command, Context, Example, Format, example, output};
use crate::compile::precompile;

/// The command `bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// A case's file, or a folder with cases
    #[arg(value_name = "FILE|DIR")]
    cases: PathBuf,
    /// The component, instead of the one that each case names
    driver: Option<PathBuf>,
    /// How often each case is run
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: u16,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Bench {
    const NAME: &str = "bench";
    const ABOUT: &str = "Measure how long a driver takes, and what it uses of its limits";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Measure how long a driver takes, and what it uses of its limits.

Each case is run on its imagined machine, so the times are those of the driver without the kernel: to compile its \
component once, to map the code, to start it, and to run the function with its calls. The times are medians. The limits \
that are suggested leave room for requests that are larger than those of the cases.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark bench ./cases ./driver.wasm",
        "See what limits a driver needs",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let mut drivers = Drivers::new(context, self.driver.as_deref())?;
        let mut compiled = Compiled::new();
        let mut measured = Vec::new();
        for file in find_cases(&self.cases, None)? {
            let case = Case::read(&file).map_err(|error| CliError::of_case(&file, error))?;
            let row = self.measure(&case, &mut drivers, &mut compiled);
            measured.push(row.map_err(|error| CliError::of_case(&file, error))?);
        }
        match self.format {
            Format::Text => output::text(&report::text(&measured)),
            Format::Json => output::json(&measured),
        }
    }
}

/// What was measured of a case.
#[derive(Debug, serde::Serialize)]
struct Measured {
    /// The case's file.
    case: PathBuf,
    /// The driver's name.
    driver: String,
    /// The size of the component, in bytes.
    component: usize,
    /// The compiled code.
    code: Code,
    /// The medians of times, and the most of the rest.
    usage: Usage,
    /// The limits of the grant.
    #[serde(serialize_with = "entries")]
    limits: Limits,
    /// The limits that leave some room.
    #[serde(serialize_with = "entries")]
    suggested: Limits,
    /// Why the driver failed.
    error: Option<String>,
}

/// The code of a component.
#[derive(Debug, Clone, Copy, serde::Serialize)]
struct Code {
    /// The time to compile it.
    time: Duration,
    /// Its size, in bytes.
    size: usize,
}

/// The code of each component that was compiled.
type Compiled = HashMap<Digest, Code>;

impl Code {
    fn of(component: &[u8]) -> Result<Self, CliError> {
        let begun = Instant::now();
        let code = precompile(component)?;
        Ok(Self {
            time: begun.elapsed(),
            size: code.len(),
        })
    }
}

fn entries<S: serde::Serializer>(limits: &Limits, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(limits.entries())
}

impl Bench {
    fn measure(
        &self,
        case: &Case,
        drivers: &mut Drivers,
        compiled: &mut Compiled,
    ) -> Result<Measured, CaseError> {
        let ready = drivers.of(case)?;
        let code = match compiled.get(ready.digest()) {
            Some(code) => *code,
            None => Code::of(ready.component())?,
        };
        compiled.insert(ready.digest().clone(), code);
        let mut runs = Vec::new();
        let mut error = None;
        for _ in 0..self.runs {
            let found = run_case(case, &ready, None)?;
            runs.push(found.usage);
            error = found.error;
        }
        let usage = summed(&runs);
        let limits = ready.limits().clone();
        Ok(Measured {
            case: case.file.clone(),
            driver: ready.name.clone(),
            component: ready.component().len(),
            code,
            suggested: suggested::limits(&usage, &limits),
            usage,
            limits,
            error,
        })
    }
}

/// Returns the medians of the times, and the most of what else runs used.
fn summed(runs: &[Usage]) -> Usage {
    let median = |time: fn(&Usage) -> Duration| {
        let mut times: Vec<Duration> = runs.iter().map(time).collect();
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let most = |value: fn(&Usage) -> u64| runs.iter().map(value).max().unwrap_or_default();
    Usage {
        mapping: median(|it| it.mapping),
        start: median(|it| it.start),
        function: median(|it| it.function),
        memory: most(|it| it.memory),
        table_elements: most(|it| it.table_elements),
        log_bytes: most(|it| it.log_bytes),
        calls: runs.iter().map(|it| it.calls).max().unwrap_or_default(),
    }
}
