//! `wasmvark inspect`: which calls a driver can make, asks for, and is
//! granted.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{CliError, Format, install, output};
use crate::digest::Digest;
use crate::driver::{Description, Manifest};
use crate::grant::{Call, Grant, Limits};
use crate::store::{DriverName, Store};

/// What is known of a driver's authority.
#[derive(Serialize)]
pub(super) struct Inspection {
    driver: String,
    digest: String,
    /// The version of the interface that it was built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Manifest>,
    /// It imports WASI, which does nothing here.
    inert_wasi: bool,
    grant: GrantState,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    calls: BTreeMap<&'static str, CallState>,
}

/// Whether there is a grant, and for this component.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum GrantState {
    /// The file isn't installed.
    NotInstalled,
    /// There is none.
    None { path: String },
    /// It holds.
    Valid { path: String },
    /// It can't be used, so everything is denied.
    Unusable { path: String, error: String },
}

#[derive(Serialize, Default)]
struct CallState {
    effect: &'static str,
    importable: bool,
    requested: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    granted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    widened: Option<String>,
}

/// Inspects an installed driver or a file.
pub(super) fn run(store: &Store, driver: &str, format: Format) -> Result<(), CliError> {
    let inspection = find(store, driver)?;
    match format {
        Format::Json => output::json(&inspection),
        Format::Text => output::text(&inspection.text()),
    }
}

fn find(store: &Store, driver: &str) -> Result<Inspection, CliError> {
    if let Ok(name) = driver.parse::<DriverName>()
        && store.names()?.contains(&name)
    {
        return installed(store, &name);
    }
    let path = Path::new(driver);
    if !path.exists() {
        return Err(CliError::NoDriver(driver.to_owned()));
    }
    let bytes = install::read(path)?;
    let description = Description::read(&bytes)?;
    let digest = Digest::of(&bytes);
    Ok(Inspection::new(
        driver,
        &digest,
        description,
        GrantState::NotInstalled,
        None,
    ))
}

/// Inspects an installed driver.
pub(super) fn installed(store: &Store, name: &DriverName) -> Result<Inspection, CliError> {
    let digest = store.find(name)?.digest;
    let description = Description::read(&store.component(name, &digest)?)?;
    let path = store.layout().grant(name);
    let shown = path.display().to_string();
    let Some(text) = store.grant_text(name)? else {
        let state = GrantState::None { path: shown };
        return Ok(Inspection::new(
            name.as_str(),
            &digest,
            description,
            state,
            None,
        ));
    };
    let checked = Grant::parse(name.as_str(), &path, &text)
        .and_then(|grant| grant.check_digest(&digest).map(|()| grant));
    let (state, grant) = match checked {
        Ok(grant) => (GrantState::Valid { path: shown }, Some(grant)),
        Err(error) => {
            let error = error.to_string();
            (GrantState::Unusable { path: shown, error }, None)
        }
    };
    Ok(Inspection::new(
        name.as_str(),
        &digest,
        description,
        state,
        grant,
    ))
}

impl Inspection {
    fn new(
        driver: &str,
        digest: &Digest,
        description: Description,
        state: GrantState,
        grant: Option<Grant>,
    ) -> Self {
        let calls = Call::ALL
            .iter()
            .map(|call| (*call, call_state(*call, &description, grant.as_ref())))
            .filter(|(_, state)| state.importable || state.requested || state.granted)
            .map(|(call, state)| (call.name(), state))
            .collect();
        Self {
            driver: driver.to_owned(),
            digest: digest.to_string(),
            interface: description.version.map(|version| version.to_string()),
            manifest: description.manifest,
            inert_wasi: description.wasi,
            grant: state,
            limits: grant.map(|grant| grant.limits().clone()),
            calls,
        }
    }

    /// The inspection for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            text.push_str(&format!("{key:<9}{value}\n"));
        };
        line("driver", &self.driver);
        line("digest", &self.digest);
        if let Some(version) = &self.interface {
            line("world", &format!("wasmvark:driver {version}"));
        }
        if let Some(manifest) = &self.manifest {
            line("version", &manifest.version);
            line("licence", &manifest.licence);
            line("about", &manifest.description);
        }
        match &self.grant {
            GrantState::NotInstalled => line("grant", "none: this file is not installed"),
            GrantState::None { path } => line("grant", &format!("none: {path} doesn't exist")),
            GrantState::Valid { path } => line("grant", path),
            GrantState::Unusable { error, .. } => {
                line("grant", &format!("unusable, all is denied: {error}"));
            }
        }
        if let Some(limits) = &self.limits {
            line("limits", &limits_line(limits));
        }
        if self.inert_wasi {
            line(
                "wasi",
                "imported; inert here: no files, no sockets, no environment",
            );
        }
        text.push('\n');
        text.push_str(&self.table());
        let idle = self
            .calls
            .iter()
            .filter(|(_, call)| call.granted && !call.importable);
        let idle: Vec<_> = idle.map(|(name, _)| *name).collect();
        if !idle.is_empty() {
            text.push_str(&format!(
                "\nGranted but not importable: {}\n",
                idle.join(", ")
            ));
        }
        if let Some(manifest) = self.manifest.as_ref().filter(|m| !m.options.is_empty()) {
            text.push_str("\nOPTIONS\n");
            text.push_str(&options(manifest));
        }
        text
    }

    fn table(&self) -> String {
        let head = ["CALL", "CAN", "ASKS", "GRANTED", "BEYOND", "WHAT FOR"].map(str::to_owned);
        let mark = |on| if on { "yes" } else { "-" }.to_owned();
        let rows = self.calls.iter().map(|(name, call)| {
            [
                (*name).to_owned(),
                mark(call.importable),
                mark(call.requested),
                mark(call.granted),
                call.widened.clone().unwrap_or_else(|| "-".to_owned()),
                call.reason
                    .clone()
                    .unwrap_or_else(|| call.effect.to_owned()),
            ]
        });
        output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    }
}

fn call_state(call: Call, description: &Description, grant: Option<&Grant>) -> CallState {
    let wish = description
        .manifest
        .as_ref()
        .and_then(|m| m.calls.get(&call));
    let reach = grant.and_then(|grant| grant.calls().get(&call));
    CallState {
        effect: call.effect(),
        importable: description.imports.contains(&call),
        requested: wish.is_some(),
        reason: wish.map(|wish| wish.reason.clone()),
        granted: reach.is_some(),
        widened: reach
            .filter(|reach| !reach.is_empty())
            .map(ToString::to_string),
    }
}

fn limits_line(limits: &Limits) -> String {
    format!(
        "memory {} MiB, {} table elements, {} instances, log {} KiB, {} calls, {} ms",
        limits.memory >> 20,
        limits.table_elements,
        limits.instances,
        limits.log_bytes >> 10,
        limits.calls,
        limits.deadline_ms
    )
}

fn options(manifest: &Manifest) -> String {
    let rows: Vec<_> = manifest
        .options
        .iter()
        .map(|option| {
            let default = option.default.as_ref();
            let default = default.map(|default| format!(" (default: {default})"));
            [
                option.name.clone(),
                format!("{}{}", option.description, default.unwrap_or_default()),
            ]
        })
        .collect();
    output::table(&rows)
}
