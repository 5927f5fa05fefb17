//! `wasmvark convert`: CNI's networks as Podman's.

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
    /// A CNI document, or a folder with those that end with .conflist, .conf or
    /// .json, such as /etc/cni/net.d
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Run the commands too, with the podman that is in PATH, and write into the
    /// grants what they lack; the first command that fails is the last
    #[arg(long)]
    apply: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Convert {
    const NAME: &str = "convert";
    const ABOUT: &str =
        "Print the networks that do what CNI's do: `podman network create`, and what grants need";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Print the networks that do what CNI's do: the `podman network create` commands, ready to paste, and as \
comments what has no counterpart, what containers are given when they are run, and what must be added to \
the drivers' grants.

Known are CNI's reference plugins for Linux: bridge, dummy, host-device, ipvlan, macvlan, ptp, tap and vlan; \
behind them in a list bandwidth, firewall, portmap, sbr, tuning, and vrf behind macvlan; ipam host-local, \
static and none. A network with anything else is an error, and the others of the folder are printed all \
the same.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark convert /etc/cni/net.d",
            "Print what does the same as CNI's networks",
        ),
        example(
            "wasmvark convert --apply /etc/cni/net.d/10-lan.conflist",
            "Make one of them, and write what its driver's grant lacks",
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

/// The file, or the documents of a folder in the order in which CNI reads them.
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
