//! `wasmvark doctor`: checks for problems that stop drivers from working or let others
//! misuse them. It changes nothing.

mod confinement;
mod drivers;
mod files;
mod finding;
mod firewall;
mod firewalld;
mod kernel;
mod lsm;
mod plugins;
mod programs;
mod rights;

use std::path::PathBuf;

use serde::Serialize;

use super::{CliError, Command, Context, Example, Format, example, output};
use crate::plugin;
use crate::podman::{ContainersConf, System};
use crate::store::Store;
use finding::{Counts, Finding};

/// The command `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Look for the machine's files and programs below this folder: for tests
    #[arg(long, hide = true, default_value = "/", value_name = "DIR")]
    system: PathBuf,
}

impl Command for Doctor {
    const NAME: &str = "doctor";
    const ABOUT: &str =
        "Check for problems that stop drivers from working or let others misuse them";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Check for problems that stop drivers from working or let others misuse them: the versions of Podman and netavark, the \
plugin directories and who may write to them, the kernel features that the drivers need, the rights of this process, \
security modules, what the kernel holds of a run's confinement, firewalld, wasmvark's own files, and each driver's link, component, precompiled code and grant. Nothing is \
changed.

Each line is ok, a warning (not everybody needs it, or it deserves a look), a problem, or unknown, if this process \
can't determine it. All but ok lines say what to do.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark doctor",
            "Find what keeps drivers from working, and how to fix it",
        ),
        example("wasmvark doctor --format json", "The same as JSON"),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let findings = context
            .store()
            .and_then(|store| look(&store, &System::new(&self.system)))
            .map_err(CliError::undecided)?;
        let counts = Counts::of(&findings);
        let printed = match self.format {
            Format::Json => output::json(&Report {
                findings: &findings,
                counts,
            }),
            Format::Text => output::text(&text(&findings, counts)),
        };
        printed.map_err(CliError::undecided)?;
        match counts.problem {
            0 => Ok(()),
            problems => Err(CliError::Problems(problems)),
        }
    }
}

/// The output for programs.
#[derive(Serialize)]
struct Report<'a> {
    findings: &'a [Finding],
    counts: Counts,
}

fn look(store: &Store, system: &System) -> Result<Vec<Finding>, CliError> {
    let conf = ContainersConf::read(system);
    let mut findings = vec![programs::podman(system, conf.as_ref().ok())];
    findings.push(programs::netavark(system, conf.as_ref().ok()));
    findings.extend(plugins::check(system, store, &conf));
    findings.extend(rights::check(system));
    // A run needs more, and this was looked at.
    plugin::give_up_but_look_out()?;
    findings.extend(lsm::check(system));
    findings.extend(confinement::check());
    findings.extend(firewall::check());
    findings.extend(firewalld::check(store));
    findings.extend(files::check(store)?);
    findings.extend(drivers::check(system, store, conf.as_ref().ok())?);
    Ok(findings)
}

fn text(findings: &[Finding], counts: Counts) -> String {
    let cells: Vec<_> = findings.iter().map(Finding::cells).collect();
    let table = output::table(&cells);
    let indent = " ".repeat(
        cells
            .iter()
            .map(|[state, ..]| state.width() + 2)
            .max()
            .unwrap_or_default(),
    );
    let mut text = String::new();
    for (line, finding) in table.lines().zip(findings) {
        text.push_str(&format!("{line}\n"));
        if let Some(remedy) = finding.remedy() {
            text.push_str(&format!("{indent}-> {remedy}\n"));
        }
    }
    text.push_str(&format!("\n{counts}.\n"));
    text
}
