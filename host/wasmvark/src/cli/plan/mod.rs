//! `wasmvark plan`.

mod dot;
mod label;
mod layout;
mod svg;
pub(super) mod text;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use audit::Operation;
use clap::ValueEnum;
use engine::driver::Description;
use policy::Grant;
use serde::Serialize;
use serde_json::value::RawValue;
use sim::Topology;
use types::Digest;

use super::{CliError, Command, Context, Example, example, output, planned_grant};
use crate::plugin::{Candidate, Machine, Planned};
use crate::store::{DriverName, Store};

/// The largest request, in bytes. That of a container with thousands of ports has some
/// hundred KiB.
const REQUEST_LIMIT: u64 = 16 << 20;
/// The argument that stands for standard input.
const STDIN: &str = "-";

/// The command `plan`.
#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    /// The name of an installed driver, or a component's file
    #[arg(value_name = "NAME|FILE")]
    driver: String,
    /// The JSON document that netavark sends to `setup` or `create`; `-` reads
    /// standard input
    request: String,
    /// The container's network namespace; without this, a new one is assumed
    #[arg(long, value_name = "PATH")]
    netns: Option<PathBuf>,
    /// Decide by this grant instead of the driver's own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["grant_requested", "grant_imports"])]
    grant: Option<PathBuf>,
    /// Decide as if the driver were granted what its manifest asks for
    #[arg(long, conflicts_with = "grant_imports")]
    grant_requested: bool,
    /// Decide as if the driver were granted every call that the component imports
    #[arg(long)]
    grant_imports: bool,
    /// How to print; `dot` and `svg` draw the namespaces and links
    #[arg(long, value_enum, default_value_t)]
    format: PlanFormat,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Command for Plan {
    const NAME: &str = "plan";
    const ABOUT: &str = "Show what a driver would do for a request, without changing anything";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark plan wasm-macvlan ./setup.json",
            "See what a driver would do for a request",
        ),
        example(
            "wasmvark plan wasm-macvlan ./setup.json --format svg >./plan.svg",
            "Draw the namespaces and links that would result",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let request = request(&self.request)?;
        let candidate = candidate(store, self)?;
        // The plan is confined, and can open no file after that.
        let output = self.output.as_deref().map(open).transpose()?;
        let planned = candidate.plan(&request, Machine::Present(self.netns.clone()))?;
        let source = grant_source(self, &planned);
        let text = match self.format {
            PlanFormat::Text => text::of(&planned, &source),
            PlanFormat::Json => json(&planned, &source)?,
            PlanFormat::Dot => dot::of(&planned.topology),
            PlanFormat::Svg => svg::of(&planned.topology),
        };
        match output {
            None => output::text(&text)?,
            Some((file, path)) => write(file, &text).map_err(unwritable(path))?,
        }
        match planned.outcome {
            Ok(_) => Ok(()),
            Err(error) => Err(CliError::Planned {
                command: planned.command,
                error: error.to_string(),
            }),
        }
    }
}

/// Opens the file that a plan goes to.
fn open(path: &Path) -> Result<(File, &Path), CliError> {
    let mut options = File::options();
    let opened = options.write(true).create(true).truncate(false).open(path);
    Ok((opened.map_err(unwritable(path))?, path))
}

/// Writes a plan in the place of what the file has.
fn write(mut file: File, text: &str) -> std::io::Result<()> {
    // A pipe has no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    move |error| CliError::Write {
        path: path.to_owned(),
        error,
    }
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum PlanFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// A picture for Graphviz
    Dot,
    /// A picture
    Svg,
}

/// A plan for programs.
#[derive(Serialize)]
struct Report<'a> {
    command: &'static str,
    driver: &'a str,
    digest: &'a str,
    grant: &'a str,
    network: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    operations: &'a [Operation],
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    topology: &'a Topology,
    undo: &'a [Operation],
    leaves_nothing: bool,
    assumed: &'a [String],
}

/// Returns the source of the grant, in words.
fn grant_source(arguments: &Plan, planned: &Planned) -> String {
    match &arguments.grant {
        _ if arguments.grant_requested => "what the driver asks for, as if it had that".to_owned(),
        _ if arguments.grant_imports => "what the driver imports, as if it had that".to_owned(),
        None if !planned.installed => "nothing, because the driver isn't installed".to_owned(),
        _ => planned.grant.display().to_string(),
    }
}

fn json(planned: &Planned, grant: &str) -> Result<String, CliError> {
    let failed = |error| CliError::Print(std::io::Error::other(error));
    let (answer, error) = match &planned.outcome {
        Ok(text) => {
            let answer = RawValue::from_string(text.clone()).map_err(failed)?;
            (Some(answer), None)
        }
        Err(error) => (None, Some(error.to_string())),
    };
    let report = Report {
        command: planned.command,
        driver: &planned.driver,
        digest: &planned.digest,
        grant,
        network: &planned.network,
        container: planned.container.as_deref(),
        operations: &planned.operations,
        answer,
        error,
        topology: &planned.topology,
        undo: &planned.undo,
        leaves_nothing: planned.left.is_none(),
        assumed: &planned.assumed,
    };
    let mut text = serde_json::to_string_pretty(&report).map_err(failed)?;
    text.push('\n');
    Ok(text)
}

pub(super) fn request(argument: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = match argument {
        STDIN => std::io::stdin()
            .lock()
            .take(REQUEST_LIMIT)
            .read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(REQUEST_LIMIT).read_to_end(&mut bytes)),
    };
    read.map_err(|error| CliError::Read {
        path: argument.into(),
        error,
    })?;
    Ok(bytes)
}

/// Returns the driver, and the grant to plan with.
fn candidate(store: &Store, arguments: &Plan) -> Result<Candidate, CliError> {
    if let Ok(name) = arguments.driver.parse::<DriverName>()
        && store.names()?.contains(&name)
    {
        let grant = installed_grant(store, arguments, &name)?;
        return Ok(Candidate::installed(store.clone(), name, grant)?);
    }
    let path = Path::new(&arguments.driver);
    if !path.exists() {
        return Err(CliError::NoDriver(arguments.driver.clone()));
    }
    let bytes = planned_grant::read(path)?;
    let description = Description::read(&bytes)?;
    let name = planned_grant::name(path, &description)?;
    let digest = Digest::of(&bytes);
    let grant = match given_grant(store, arguments, &name, &digest, &description)? {
        Some(grant) => grant,
        None => planned_grant::made(store, &name, &digest, &BTreeMap::new())?,
    };
    Ok(Candidate::of_file(store.clone(), name, bytes, grant)?)
}

fn installed_grant(
    store: &Store,
    arguments: &Plan,
    name: &DriverName,
) -> Result<Option<Grant>, CliError> {
    if arguments.grant.is_none() && !arguments.grant_requested && !arguments.grant_imports {
        return Ok(None);
    }
    let digest = store.find(name)?.digest;
    let description = Description::read(&store.component(name, &digest)?)?;
    given_grant(store, arguments, name, &digest, &description)
}

/// Returns the grant that the arguments set, if they set one.
fn given_grant(
    store: &Store,
    arguments: &Plan,
    name: &DriverName,
    digest: &Digest,
    description: &Description,
) -> Result<Option<Grant>, CliError> {
    if let Some(path) = &arguments.grant {
        let text = String::from_utf8_lossy(&planned_grant::read(path)?).into_owned();
        let grant = Grant::parse_for(digest, name.as_str(), path, &text)?;
        return Ok(Some(grant));
    }
    match arguments.grant_requested || arguments.grant_imports {
        true => {
            let calls = planned_grant::to_grant(description, arguments.grant_imports)?;
            Ok(Some(planned_grant::made(store, name, digest, &calls)?))
        }
        false => Ok(None),
    }
}
