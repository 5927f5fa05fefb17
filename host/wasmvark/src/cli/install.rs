//! `wasmvark install`.

use std::path::PathBuf;

use policy::{Grant, GrantError, Limits};

use super::planned_grant::{Candidate, to_grant};
use super::{
    CliError, Command, Context, Example, confirm, example, find_grant, inspect, output, program,
    switch,
};
use crate::store::{DriverName, Store, Version};

/// The command `install`.
#[derive(Debug, clap::Args)]
pub(super) struct Install {
    /// The component's file
    file: PathBuf,
    /// Podman's name for the driver; by default the one in its manifest, or the
    /// file's
    #[arg(long)]
    name: Option<DriverName>,
    /// The plugin directory of netavark that the link is put into
    #[arg(long, value_name = "DIR")]
    plugin_dir: Option<PathBuf>,
    #[command(flatten)]
    consent: confirm::Arguments,
}

impl Command for Install {
    const NAME: &str = "install";
    const ABOUT: &str = "Install a driver and link it into netavark's plugin directory";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Install a driver and link it into netavark's plugin directory.

The calls that the driver asks for are listed. --grant FILE or --grant-requested says which of them it is granted. A \
component without a manifest asks for nothing: --grant-imports grants every call that it imports. \
Without any of these, an existing grant for exactly this component stays in force; otherwise the command asks on the \
terminal. Without a terminal nothing is installed, and the exit code is 3.

The component that had the name before is kept for `wasmvark rollback`.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark install ./lan.wasm --name lan --grant ./lan.toml",
            "Install a driver with a grant that you wrote",
        ),
        example(
            "wasmvark install ./lan.wasm --name lan --grant-requested",
            "Install it and grant what it asks for",
        ),
        example(
            "wasmvark install ./lan.wasm --plugin-dir /usr/libexec/netavark",
            "Put its link into another plugin directory",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let candidate = Candidate::read(&self.file)?;
        let name = name(self, &candidate)?;
        let plugins = self.plugin_dir.as_deref();
        let plugins = plugins.unwrap_or(&store.layout().plugins);
        store.check_link(&name, plugins, &program()?)?;
        if store.names()?.contains(&name) {
            switch::settle(store, &name)?;
        }
        let grant = grant(store, self, &name, &candidate)?;
        let code = candidate.compile(store)?;
        let _lock = store.lock()?;
        let digest = store.put(candidate.bytes(), code.as_deref())?;
        match store.current(&name) {
            Ok(from) if from.digest != digest => {
                let grant = grant.or_else(|| from.grant.clone());
                store.switch(
                    &name,
                    &from,
                    &Version {
                        digest: digest.clone(),
                        grant,
                    },
                )?;
            }
            // The grant comes before the registration, because a registered driver can
            // do nothing without it.
            _ => {
                if let Some(text) = &grant {
                    store.put_grant(&name, text)?;
                }
            }
        }
        let registration = store.register(&name, &digest, plugins, &program()?)?;
        let mut text = format!("Installed {name} as {}.\n\n", registration.link.display());
        text.push_str(&inspect::installed(store, &name)?.text());
        output::text(&text)
    }
}

fn name(arguments: &Install, candidate: &Candidate) -> Result<DriverName, CliError> {
    let name = match (&arguments.name, &candidate.description.manifest) {
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

/// Returns the text of the grant to write, or `None` if the existing grant stays.
fn grant(
    store: &Store,
    arguments: &Install,
    name: &DriverName,
    candidate: &Candidate,
) -> Result<Option<String>, CliError> {
    if let Some(path) = &arguments.consent.grant {
        return Ok(Some(candidate.grant_from(name, path)?));
    }
    if !arguments.consent.is_given() && holds(store, name, candidate)? {
        return Ok(None);
    }
    let calls = to_grant(&candidate.description, arguments.consent.grant_imports)?;
    if !arguments.consent.is_given() {
        let asked = inspect::asked(name.as_str(), &candidate.description);
        output::text(&format!("{asked}\n"))?;
        confirm::ask(&format!("Grant this, and install {name}?"))?;
    }
    let limits = Limits::default();
    let text = Grant::text(name.as_str(), &candidate.digest, &limits, &calls);
    Ok(Some(text))
}

/// Whether there is a grant for exactly this component. One that can't be read is an
/// error, because it would be overwritten otherwise.
fn holds(store: &Store, name: &DriverName, candidate: &Candidate) -> Result<bool, CliError> {
    let Some(grant) = find_grant(store, name)? else {
        return Ok(false);
    };
    match grant.check_digest(&candidate.digest) {
        Ok(()) => Ok(true),
        Err(GrantError::OtherDigest { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
