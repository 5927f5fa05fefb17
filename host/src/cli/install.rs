//! `wasmvark install`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{CliError, inspect, output, program};
use crate::digest::Digest;
use crate::driver::{Code, Description};
use crate::grant::{Call, Grant, Limits, Reach};
use crate::store::{DriverName, Store};

/// The largest component that is taken: interpreters have tens of MiB.
const COMPONENT_LIMIT: u64 = 256 << 20;

/// The arguments of `install`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The component
    file: PathBuf,
    /// The name under which Podman calls the driver; its own or the file's by
    /// default
    #[arg(long)]
    name: Option<DriverName>,
    /// netavark's plugin directory, where the link goes
    #[arg(long, value_name = "DIR")]
    plugin_dir: Option<PathBuf>,
    /// Use this file as the driver's grant
    #[arg(long, value_name = "FILE", conflicts_with = "grant_requested")]
    grant: Option<PathBuf>,
    /// Grant what the driver asks for
    #[arg(long)]
    grant_requested: bool,
}

/// Installs a driver.
pub(super) fn run(store: &Store, arguments: &Arguments) -> Result<(), CliError> {
    let bytes = read(&arguments.file)?;
    let description = Description::read(&bytes)?;
    let name = name(arguments, &description)?;
    let digest = Digest::of(&bytes);
    let grant = grant(store, arguments, &name, &digest, &description)?;
    let code = compile(&bytes)?;
    store.put(&bytes, &code)?;
    if let Some(text) = &grant {
        store.put_grant(&name, text)?;
    }
    let plugins = arguments.plugin_dir.as_deref();
    let plugins = plugins.unwrap_or(&store.layout().plugins);
    let registration = store.register(&name, &digest, plugins, &program()?)?;
    let mut text = format!("Installed {name} as {}.\n", registration.link.display());
    if store.grant_text(&name)?.is_none() {
        text.push_str(&format!(
            "It has no grant yet, so it may do nothing: write {}.\n",
            store.layout().grant(&name).display()
        ));
    }
    text.push('\n');
    text.push_str(&inspect::installed(store, &name)?.text());
    output::text(&text)
}

/// Reads a component's file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::Read {
        path: path.to_owned(),
        error,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > COMPONENT_LIMIT {
        let text = format!("it is larger than {COMPONENT_LIMIT} bytes");
        return Err(failed(std::io::Error::other(text)));
    }
    std::fs::read(path).map_err(failed)
}

/// Compiles a component and checks that it fits the world.
#[allow(unsafe_code, reason = "code that was just made is loaded")]
fn compile(bytes: &[u8]) -> Result<Vec<u8>, CliError> {
    let code = Code::precompile(bytes)?;
    // SAFETY: `code` comes from `Code::precompile` just above.
    unsafe { Code::load(&code) }?.check_world()?;
    Ok(code)
}

fn name(arguments: &Arguments, description: &Description) -> Result<DriverName, CliError> {
    let name = match (&arguments.name, &description.manifest) {
        (Some(name), _) => name.clone(),
        (None, Some(manifest)) => manifest.name.parse()?,
        (None, None) => {
            let stem = arguments.file.file_stem().unwrap_or_default();
            stem.to_string_lossy().parse()?
        }
    };
    name.check_free()?;
    Ok(name)
}

/// The text of the grant to write, if one is to be written.
fn grant(
    store: &Store,
    arguments: &Arguments,
    name: &DriverName,
    digest: &Digest,
    description: &Description,
) -> Result<Option<String>, CliError> {
    if let Some(path) = &arguments.grant {
        let text = String::from_utf8_lossy(&read(path)?).into_owned();
        let grant = Grant::parse(name.as_str(), path, &text)?;
        grant.check_digest(digest)?;
        return Ok(Some(text));
    }
    if arguments.grant_requested {
        let limits = Limits::default();
        let text = Grant::text(name.as_str(), digest, &limits, &requested(description));
        return Ok(Some(text));
    }
    // A grant that is there already must hold for this component.
    if let Some(text) = store.grant_text(name)? {
        let path = store.layout().grant(name);
        Grant::parse(name.as_str(), &path, &text)?.check_digest(digest)?;
    }
    Ok(None)
}

/// The calls that a driver asks for and can make; without a manifest, those
/// that it can make.
pub(super) fn requested(description: &Description) -> BTreeMap<Call, Reach> {
    let imports = description.imports.iter().copied();
    match &description.manifest {
        None => imports.map(|call| (call, Reach::default())).collect(),
        Some(manifest) => imports
            .filter_map(|call| Some((call, manifest.calls.get(&call)?.reach.clone())))
            .collect(),
    }
}
