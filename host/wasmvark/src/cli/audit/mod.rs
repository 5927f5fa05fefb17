//! `wasmvark audit`: which driver may do what, what of it it does, and what
//! somebody should look at.

mod findings;
mod gather;
mod html;
mod places;
mod report;
mod text;

use audit::Since;
use clap::ValueEnum;

use super::{CliError, output};
use crate::store::Store;

pub(super) use report::Level;

/// How to look and to print.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 1 where there is a finding of this level or a worse one
    #[arg(long, value_enum, default_value_t = Level::Warning, value_name = "LEVEL")]
    fail_on: Level,
    /// Of the trail only what is younger counts: 30s, 10m, 2h, 3d, 1w, or a time
    /// in UTC
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Call a granted call unused only after so many runs without it
    #[arg(long, default_value_t = 10, value_name = "RUNS")]
    unused_after: u64,
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs, as docs/audit.schema.json describes it
    Json,
    /// One page for a browser, with all that it needs in it
    Html,
}

/// Prints the report; what is found is an error of its own.
pub(super) fn run(store: &Store, arguments: &Arguments) -> Result<(), CliError> {
    match look(store, arguments).map_err(CliError::undecided)? {
        0 => Ok(()),
        count => Err(CliError::Found {
            count,
            level: arguments.fail_on.name(),
        }),
    }
}

/// How many findings are bad enough.
fn look(store: &Store, arguments: &Arguments) -> Result<usize, CliError> {
    let report = gather::report(store, arguments.since, arguments.unused_after)?;
    match arguments.format {
        Format::Text => output::text(&text::of(&report))?,
        Format::Json => output::json(&report)?,
        Format::Html => output::text(&html::of(&report))?,
    }
    let findings = report.findings.iter();
    let bad = findings.filter(|finding| finding.level >= arguments.fail_on);
    Ok(bad.count())
}
