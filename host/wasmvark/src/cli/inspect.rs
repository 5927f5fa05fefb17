//! `wasmvark inspect`: the calls that a driver can make, asks for and is granted.

use std::collections::BTreeMap;
use std::path::Path;

use engine::driver::{Description, Manifest, Version};
use policy::{Call, Grant, Limits, Reach, Risk};
use request::Declared;
use serde::Serialize;
use types::Digest;
use types::text::plain;

use super::planned_grant::{Candidate, importable, reason, requested};
use super::{
    CliError, Command, Context, Example, Format, example, find_grant, inspect_options, output,
};
use crate::plugin::{Rights, RightsLeft, RunKind};
use crate::store::{DriverName, Store};

/// The command `inspect`.
#[derive(Debug, clap::Args)]
pub(super) struct Inspect {
    /// The name of an installed driver, or a component's file
    #[arg(value_name = "NAME|FILE")]
    driver: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for Inspect {
    const NAME: &str = "inspect";
    const ABOUT: &str = "Show which calls a driver can make, asks for and is granted";
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark inspect wasm-macvlan",
            "See all that an installed driver may do",
        ),
        example(
            "wasmvark inspect ./lan.wasm",
            "See what a file asks for before it's installed",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let inspection = find(&context.store()?, &self.driver)?;
        match self.format {
            Format::Json => output::json(&inspection),
            Format::Text => output::text(&inspection.text()),
        }
    }
}

/// Whether the host refuses options that a component's manifest doesn't declare.
fn options_checked(description: &Description) -> bool {
    let declares = |manifest: &Manifest| manifest.options.options().is_some();
    let is_of_version = description.version.is_none_or(Version::checks_options);
    is_of_version && description.manifest.as_ref().is_some_and(declares)
}

/// The authority of a driver.
#[derive(Serialize)]
pub(super) struct Inspection {
    driver: String,
    digest: String,
    /// The version of the WIT that the component is built for.
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    /// The digest of the previous component, for `wasmvark rollback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    sizes: Sizes,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Manifest>,
    /// Whether the host refuses options that the manifest doesn't declare.
    options_checked: bool,
    /// Whether the component imports WASI, which does nothing here.
    inert_wasi: bool,
    grant: GrantState,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    /// What a confined run with the grant, or with the calls that the driver asks for, can
    /// still do.
    wall: RightsLeft,
    /// Whether a run ends if the kernel can't confine it whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    confinement_required: Option<bool>,
    /// Whether a run ends if the audit trail can't be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    trail_required: Option<bool>,
    calls: BTreeMap<&'static str, CallState>,
}

/// The sizes of files, in bytes.
#[derive(Serialize, Default)]
struct Sizes {
    component: u64,
    /// The precompiled code, if the driver is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u64>,
}

/// The state of a driver's grant.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum GrantState {
    /// The component isn't installed.
    NotInstalled,
    /// There is no grant.
    None { path: String },
    /// The grant is valid.
    Valid { path: String },
    /// The grant can't be used, so every call is denied.
    Unusable { path: String, error: String },
}

#[derive(Serialize)]
struct CallState {
    risk: Risk,
    effect: &'static str,
    importable: bool,
    requested: bool,
    #[serde(skip_serializing_if = "Reach::is_empty")]
    requested_reach: Reach,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    granted: bool,
    #[serde(skip_serializing_if = "Reach::is_empty")]
    granted_reach: Reach,
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
    let candidate = Candidate::read(path)?;
    let mut inspection = Inspection::new(
        driver,
        &candidate.digest,
        candidate.description.clone(),
        GrantState::NotInstalled,
        None,
    );
    inspection.sizes.component = candidate.bytes().len().try_into().unwrap_or(u64::MAX);
    Ok(inspection)
}

/// Inspects an installed driver.
pub(super) fn installed(store: &Store, name: &DriverName) -> Result<Inspection, CliError> {
    let digest = store.find(name)?.digest;
    let description = Description::read(&store.component(name, &digest)?)?;
    let (state, grant) = grant(store, name, &digest)?;
    let mut inspection = Inspection::new(name.as_str(), &digest, description, state, grant);
    let (component, code) = store.sizes(&digest);
    inspection.sizes = Sizes {
        component: component.unwrap_or_default(),
        code,
    };
    let previous = store.previous(name)?;
    inspection.previous = previous.map(|previous| previous.digest.to_string());
    Ok(inspection)
}

/// Reads the state of an installed driver's grant, and the grant if it's valid.
fn grant(
    store: &Store,
    name: &DriverName,
    digest: &Digest,
) -> Result<(GrantState, Option<Grant>), CliError> {
    let path = store.layout().grant(name).display().to_string();
    let checked = match find_grant(store, name) {
        Ok(None) => return Ok((GrantState::None { path }, None)),
        Ok(Some(grant)) => grant.check_digest(digest).map(|()| grant),
        Err(CliError::Grant(error)) => Err(error),
        Err(error) => return Err(error),
    };
    Ok(match checked {
        Ok(grant) => (GrantState::Valid { path }, Some(grant)),
        Err(error) => {
            let error = error.to_string();
            (GrantState::Unusable { path, error }, None)
        }
    })
}

/// Returns the calls that a component asks for, as text before a question.
pub(super) fn asked(driver: &str, description: &Description) -> String {
    let calls = requested(description).unwrap_or_default();
    if calls.is_empty() {
        return format!("{driver} asks for no calls at all.\n");
    }
    let head = ["CALL", "RISK", "BEYOND", "WHAT FOR"].map(str::to_owned);
    let rows = calls.iter().map(|(call, reach)| {
        [
            call.name().to_owned(),
            output::risk(Risk::of(*call, reach), call.effect()),
            shown(true, reach).replace("yes", "-"),
            reason(description, *call).unwrap_or("-").to_owned(),
        ]
    });
    let table = output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    format!(
        "{driver} asks for these calls. BEYOND is what one may touch other than the driver's own \
         links and what a request names.\n\n{table}"
    )
}

/// Returns the text of a cell: no, yes, or a reach.
fn shown(is_there: bool, reach: &Reach) -> String {
    match (is_there, reach.is_empty()) {
        (false, _) => "-".to_owned(),
        (true, true) => "yes".to_owned(),
        (true, false) => reach.to_string(),
    }
}

impl Inspection {
    fn new(
        driver: &str,
        digest: &Digest,
        description: Description,
        state: GrantState,
        grant: Option<Grant>,
    ) -> Self {
        let rights = match &grant {
            Some(grant) => Rights::of(RunKind::Connect, grant.calls()),
            None => {
                let asked = requested(&description);
                let asked = asked.unwrap_or_else(|| importable(&description));
                Rights::of(RunKind::Connect, &asked)
            }
        };
        let wall = rights.left();
        let calls = Call::ALL
            .iter()
            .filter(|call| call.needs_grant())
            .map(|call| (*call, call_state(*call, &description, grant.as_ref())))
            .filter(|(call, state)| {
                // Every driver can make the calls that stand for return values.
                let imported = state.importable && !call.is_returned();
                imported || state.requested || state.granted
            })
            .map(|(call, state)| (call.name(), state))
            .collect();
        Self {
            driver: driver.to_owned(),
            digest: digest.to_string(),
            interface: description.version.map(|version| version.to_string()),
            previous: None,
            sizes: Sizes::default(),
            options_checked: options_checked(&description),
            manifest: description.manifest,
            inert_wasi: description.wasi,
            grant: state,
            limits: grant.as_ref().map(|grant| grant.limits().clone()),
            wall,
            confinement_required: grant.as_ref().map(Grant::requires_confinement),
            trail_required: grant.map(|grant| grant.requires_trail()),
            calls,
        }
    }

    /// Returns the inspection as text for people.
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
        if let Some(previous) = &self.previous {
            line("before", &format!("{previous}, for `wasmvark rollback`"));
        }
        let code = self.sizes.code;
        let code = code.map(|code| format!(", compiled {}", output::size(code)));
        let size = output::size(self.sizes.component);
        line("size", &format!("{size}{}", code.unwrap_or_default()));
        if let Some(manifest) = &self.manifest {
            line("version", &plain(&manifest.version));
            line("licence", &plain(&manifest.licence));
            line("about", &plain(&manifest.description));
        }
        match &self.grant {
            GrantState::NotInstalled => line("grant", "none: this file is not installed"),
            GrantState::None { path } => line("grant", &format!("none: {path} doesn't exist")),
            GrantState::Valid { path } => line("grant", path),
            GrantState::Unusable { error, .. } => {
                let error = error.replace('\n', "\n         ");
                line("grant", &format!("unusable, all is denied: {error}"));
            }
        }
        if let Some(limits) = &self.limits {
            line("limits", &limits_line(limits));
        }
        line("wall", &self.wall.in_words());
        if self.confinement_required == Some(true) {
            line(
                "",
                "required: runs end where the kernel can't hold all of it",
            );
        }
        if self.trail_required == Some(false) {
            line(
                "trail",
                "not required: runs go on where it can't be written",
            );
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
        let declared = self.manifest.as_ref().map(|manifest| &manifest.options);
        text.push_str(&inspect_options::text(
            declared.unwrap_or(&Declared::Undeclared),
            self.options_checked,
        ));
        text
    }

    fn table(&self) -> String {
        let head = ["CALL", "RISK", "CAN", "ASKS", "GRANTED", "WHAT FOR"].map(str::to_owned);
        let rows = self.calls.iter().map(|(name, call)| {
            [
                (*name).to_owned(),
                output::risk(call.risk, call.effect),
                shown(call.importable, &Reach::default()),
                shown(call.requested, &call.requested_reach),
                shown(call.granted, &call.granted_reach),
                call.reason.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        });
        output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    }
}

fn call_state(call: Call, description: &Description, grant: Option<&Grant>) -> CallState {
    let manifest = description.manifest.as_ref();
    let wish = manifest.and_then(|manifest| manifest.calls.get(&call));
    let granted = grant.and_then(|grant| grant.calls().get(&call));
    let requested_reach = wish.map(|wish| wish.reach.clone()).unwrap_or_default();
    let reach = granted.unwrap_or(&requested_reach);
    CallState {
        risk: Risk::of(call, reach),
        effect: call.effect(),
        importable: description.can_make(call),
        requested: wish.is_some(),
        reason: wish.map(|wish| wish.reason.clone()),
        granted: granted.is_some(),
        granted_reach: granted.cloned().unwrap_or_default(),
        requested_reach,
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
