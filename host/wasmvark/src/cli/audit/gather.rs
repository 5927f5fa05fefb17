//! The collection of the report's facts.

use std::collections::BTreeMap;

use audit::{CallUsage, Since, Summary, Usage};
use engine::driver::Description;
use policy::{Call, Grant, Reach};
use types::Digest;

use super::findings::{self, Findings};
use super::places;
use super::report::{
    CallReport, DriverReport, GrantReport, GrantState, Report, TrailReport, VERSION,
};
use crate::cli::{CliError, find_grant};
use crate::store::{DriverName, Store, StoreError};

/// Makes the report on all drivers, their surroundings and the audit trail.
pub(super) fn report(
    store: &Store,
    since: Option<Since>,
    unused_after: u64,
) -> Result<Report, CliError> {
    let file = &store.layout().trail;
    let summary = Summary::read(file, since).map_err(|error| CliError::Read {
        path: file.clone(),
        error,
    })?;
    let mut found = Findings::default();
    let mut drivers = Vec::new();
    for name in store.names()? {
        let looked = driver(store, &name, &summary, &mut found)?;
        findings::of_calls(&looked.report, looked.imports, unused_after, &mut found);
        drivers.push(looked.report);
    }
    places::look(store, &drivers, &mut found)?;
    findings::of_trail(&summary, file, &mut found);
    Ok(Report {
        version: VERSION,
        time: jiff::Timestamp::now().to_string(),
        trail: TrailReport {
            file: file.display().to_string(),
            first: summary.first,
            last: summary.last,
            unreadable: summary.unreadable,
        },
        drivers,
        findings: found.sorted(),
    })
}

/// A driver's report, and whether the component's imports are known.
struct Looked {
    report: DriverReport,
    imports: bool,
}

fn driver(
    store: &Store,
    name: &DriverName,
    summary: &Summary,
    found: &mut Findings,
) -> Result<Looked, CliError> {
    let registration = store.find(name)?;
    let digest = &registration.digest;
    let description = describe(store, name, digest, found);
    let (grant, state) = grant(store, name, digest);
    findings::of_grant(name, &state, grant.as_ref(), found);
    let usage = summary.of(name.as_str(), &digest.to_string());
    let manifest = description.as_ref().and_then(|it| it.manifest.as_ref());
    let imports = description.is_some();
    let report = DriverReport {
        name: name.to_string(),
        digest: digest.to_string(),
        version: manifest.map(|manifest| manifest.version.clone()),
        link: registration.link.display().to_string(),
        grant: state,
        runs: usage.runs,
        calls: calls(description.as_ref(), grant.as_ref(), &usage),
        first_run: usage.first,
        last_run: usage.last,
    };
    Ok(Looked { report, imports })
}

/// Reads the component's description, or adds a finding if the component is missing or
/// corrupt.
fn describe(
    store: &Store,
    name: &DriverName,
    digest: &Digest,
    found: &mut Findings,
) -> Option<Description> {
    let read = store.component(name, digest).map_err(CliError::from);
    let described = read.and_then(|bytes| Ok(Description::read(&bytes)?));
    if let Err(error) = store.code(digest) {
        findings::exposed(Some(name), &error.to_string(), found);
    }
    match described {
        Ok(description) => Some(description),
        Err(error) => {
            findings::component(name, &error.to_string(), found);
            None
        }
    }
}

/// Reads the grant and its state. A grant for another component is returned, too.
fn grant(store: &Store, name: &DriverName, digest: &Digest) -> (Option<Grant>, GrantReport) {
    let path = store.layout().grant(name);
    let report = |state, error: Option<String>| GrantReport {
        state,
        path: path.display().to_string(),
        error,
    };
    let grant = match find_grant(store, name) {
        Ok(Some(grant)) => grant,
        Ok(None) => return (None, report(GrantState::None, None)),
        Err(error) => {
            let error = Some(error.to_string());
            return (None, report(GrantState::Unusable, error));
        }
    };
    match grant.check_digest(digest) {
        Ok(()) => (Some(grant), report(GrantState::Valid, None)),
        Err(error) => (
            Some(grant),
            report(GrantState::OtherDigest, Some(error.to_string())),
        ),
    }
}

fn calls(
    description: Option<&Description>,
    grant: Option<&Grant>,
    usage: &Usage,
) -> Vec<CallReport> {
    let nothing = BTreeMap::new();
    let granted = grant.map_or(&nothing, Grant::calls);
    let all = Call::ALL.iter().filter(|call| call.needs_grant());
    all.map(|call| {
        let used = usage.calls.get(call).cloned().unwrap_or_default();
        call_report(*call, description, granted.get(call), used)
    })
    .filter(|call| {
        // Every driver can make the calls that stand for return values.
        (call.importable && !call.call.is_returned())
            || call.requested
            || call.granted
            || call.used > 0
            || call.denied > 0
    })
    .collect()
}

fn call_report(
    call: Call,
    description: Option<&Description>,
    reach: Option<&Reach>,
    used: CallUsage,
) -> CallReport {
    let manifest = description.and_then(|it| it.manifest.as_ref());
    let wish = manifest.and_then(|manifest| manifest.calls.get(&call));
    CallReport {
        call,
        effect: call.effect(),
        importable: description.is_some_and(|it| it.can_make(call)),
        requested: wish.is_some(),
        reason: wish.map(|wish| wish.reason.clone()),
        granted: reach.is_some(),
        reach: reach.cloned().unwrap_or_default(),
        stars: reach.map(Reach::stars).unwrap_or_default(),
        used: used.allowed,
        first_used: used.first,
        last_used: used.last,
        reach_used: used.reach,
        denied: used.denied,
    }
}

/// Whether an error says that others could have written a file.
pub(super) fn is_exposed(error: &StoreError) -> bool {
    matches!(error, StoreError::Untrusted { .. })
}
