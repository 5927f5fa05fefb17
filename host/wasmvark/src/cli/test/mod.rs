//! `wasmvark test`: runs a driver on imagined machines, as cases in files say, and compares
//! what it does with what they expect. Nothing of the present machine is read or changed.

mod bless;
mod case;
mod compare;
mod driver;
mod faults;
mod files;
mod junit;
mod machine;
mod recorded;
mod report;
mod request;
mod run;

use std::path::PathBuf;

use clap::ValueEnum;

use super::{CliError, Command, Context, Example, example, output};
pub(super) use case::{Case, CaseError, Function};
use compare::Difference;
pub(super) use driver::{Drivers, Package};
use faults::FailAt;
pub(super) use files::find as find_cases;
pub(super) use machine::Machine;
use report::Judged;
pub(super) use request::{CONTAINER as RENAMED, document};
pub(super) use run::run as run_case;

/// The command `test`.
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// A case's file, or a folder with cases
    #[arg(value_name = "FILE|DIR")]
    cases: PathBuf,
    /// The component, instead of the one that each case names
    driver: Option<PathBuf>,
    /// Run only the cases with this in their paths
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write what was found into the cases, as what they expect from now on
    #[arg(long)]
    bless: bool,
    /// Have the kernel's operation with this number fail, from 1, or each of them in turn, and
    /// compare nothing but what is left
    #[arg(long, value_name = "N|all", conflicts_with = "bless")]
    fail_at: Option<FailAt>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// The format of the report.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For CI systems that read JUnit's XML
    Junit,
}

impl Command for Test {
    const NAME: &str = "test";
    const ABOUT: &str = "Test a driver on imagined machines, without root";
    const LONG_ABOUT: Option<&str> = Some(
        "Test a driver on imagined machines, without root\n\nA case is a TOML file with a request, \
         a machine, and what the driver is expected to do. Each runs in a process of its own, on a \
         kernel in memory. The exit code is 0 if all cases pass, 1 if one fails or can't be read, \
         and 2 for wrong arguments.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark test ./cases ./lan.wasm",
            "Run all cases of a folder",
        ),
        example(
            "wasmvark test ./cases/two-networks.toml ./lan.wasm --bless",
            "Write down what the driver does now, for the next time",
        ),
        example(
            "wasmvark test ./cases ./lan.wasm --fail-at all",
            "See that nothing is left, whatever fails",
        ),
        example(
            "wasmvark test ./cases ./lan.wasm --format junit >./report.xml",
            "Have a CI system show each case",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let files = files::find(&self.cases, self.filter.as_deref())?;
        let mut drivers = Drivers::new(context, self.driver.as_deref())?;
        let judged: Vec<Judged> = files
            .into_iter()
            .map(|file| {
                let result = self.judge(&file, &mut drivers);
                Judged::new(file, result)
            })
            .collect();
        let text = match self.format {
            ReportFormat::Text => report::text(&judged),
            ReportFormat::Json => report::json(&judged).map_err(CliError::Print)?,
            ReportFormat::Junit => junit::of(&judged),
        };
        output::text(&text)?;
        let failed = judged.iter().filter(|it| !it.has_passed()).count();
        match failed {
            0 => Ok(()),
            _ => Err(CliError::Cases {
                failed,
                all: judged.len(),
            }),
        }
    }
}

impl Test {
    /// Runs a case, and returns what isn't as it expects. With `--bless`, the case expects
    /// it afterwards.
    fn judge(
        &self,
        file: &std::path::Path,
        drivers: &mut Drivers,
    ) -> Result<Vec<Difference>, CaseError> {
        let case = Case::read(file)?;
        if let Some(fail_at) = self.fail_at {
            return faults::judge(&case, drivers, fail_at);
        }
        if !self.bless {
            case.check_expects()?;
        }
        let found = run::run(&case, &drivers.of(&case)?, None)?;
        if self.bless {
            bless::write(&case, &found)?;
            return Ok(Vec::new());
        }
        Ok(compare::differences(&case.expect, &found))
    }
}
