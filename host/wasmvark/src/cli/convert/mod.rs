//! `wasmvark convert`: CNI networks as commands for Podman.

mod apply;
mod conversion;
mod print;

use std::path::{Path, PathBuf};

use super::{CliError, Command, Context, Example, Format, example, output};
use crate::convert;
use crate::store::Store;
use conversion::{Conversion, Failure};

/// The command `convert`.
#[derive(Debug, clap::Args)]
pub(super) struct Convert {
    /// A CNI document, or a folder of documents whose names end with .conflist,
    /// .conf or .json, such as /etc/cni/net.d
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Also run the commands, with the podman in PATH, and add the lines that the
    /// grants lack; stop at the first command that fails
    #[arg(long)]
    apply: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Convert {
    const NAME: &str = "convert";
    const ABOUT: &str = "Convert CNI networks into `podman network create` commands";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Convert CNI networks into `podman network create` commands, ready to paste. Comments say which settings have no \
counterpart, which options `podman run` takes instead, and which lines the drivers' grants lack.

Supported are CNI's reference plugins for Linux: bridge, dummy, host-device, ipvlan, macvlan, ptp, tap and vlan; \
chained behind them bandwidth, firewall, portmap, sbr and tuning, and vrf behind macvlan; for addresses host-local, \
static and none. A network with any other plugin is an error; the other networks of the folder are still printed.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark convert /etc/cni/net.d",
            "Print the commands for CNI's networks",
        ),
        example(
            "wasmvark convert --apply /etc/cni/net.d/10-lan.conflist",
            "Create one of them, and extend its driver's grant",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let (conversions, failures) = convert_all(store, &self.path)?;
        match self.format {
            Format::Text => output::text(&print::text(&conversions))?,
            Format::Json => output::json(&print::Report {
                networks: &conversions,
                errors: &failures,
            })?,
        }
        for failure in &failures {
            eprintln!("wasmvark: {failure}");
        }
        if self.apply {
            for conversion in &conversions {
                apply::apply(store, conversion)?;
            }
        }
        match failures.len() {
            0 => Ok(()),
            failed => Err(CliError::NotConverted {
                failed,
                all: failed + conversions.len(),
            }),
        }
    }
}

fn convert_all(store: &Store, path: &Path) -> Result<(Vec<Conversion>, Vec<Failure>), CliError> {
    let mut plans = Vec::new();
    let mut failures = Vec::new();
    for file in files(path)? {
        match convert::plan(&read(&file)?) {
            Ok(plan) => plans.push((file, plan)),
            Err(error) => failures.push(Failure::new(&file, &error)),
        }
    }
    let mut all: Vec<_> = plans.iter_mut().map(|(_, plan)| plan).collect();
    convert::part_bridges(&mut all);
    let mut conversions: Vec<Conversion> = Vec::new();
    for (file, plan) in plans {
        let mut others = conversions.iter();
        if let Some(other) = others.find(|other| other.plan.network == plan.network) {
            failures.push(Failure::same_name(&file, &other.file, &plan.network));
            continue;
        }
        match Conversion::new(store, &file, plan) {
            Ok(conversion) => conversions.push(conversion),
            Err(error) => failures.push(Failure::new(&file, &error)),
        }
    }
    Ok((conversions, failures))
}

/// Returns the file, or the documents of a folder in the order in which CNI reads them.
fn files(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |error| CliError::Read {
        path: path.to_owned(),
        error,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let extension = file.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("conflist" | "conf" | "json")) && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(CliError::NoDocuments(path.to_owned())),
        false => Ok(files),
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(file).map_err(|error| CliError::Read {
        path: file.to_owned(),
        error,
    })
}
