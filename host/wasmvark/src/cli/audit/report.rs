//! The report, as `docs/audit.schema.json` describes it.

use clap::ValueEnum;
use policy::{Call, Reach};
use serde::Serialize;

/// The version of the report's format. It changes if a key changes its meaning or is
/// removed.
pub(super) const VERSION: u32 = 1;

/// The report of `audit`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Report {
    pub(super) version: u32,
    /// The time of the report, in UTC.
    pub(super) time: String,
    pub(super) trail: TrailReport,
    pub(super) drivers: Vec<DriverReport>,
    /// The findings, the worst first.
    pub(super) findings: Vec<Finding>,
}

/// The audit trail that the report is based on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct TrailReport {
    pub(super) file: String,
    /// The times of the oldest and the newest record that count.
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    /// The number of lines that aren't records.
    pub(super) unreadable: u64,
}

/// An installed driver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct DriverReport {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) version: Option<String>,
    pub(super) link: String,
    pub(super) grant: GrantReport,
    /// The number of this component's runs in the trail.
    pub(super) runs: u64,
    pub(super) first_run: Option<String>,
    pub(super) last_run: Option<String>,
    pub(super) calls: Vec<CallReport>,
}

/// A driver's grant.
#[derive(Debug, Serialize)]
pub(super) struct GrantReport {
    pub(super) state: GrantState,
    pub(super) path: String,
    pub(super) error: Option<String>,
}

/// The state of a driver's grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GrantState {
    Valid,
    /// There is no grant.
    None,
    /// The grant is for another component.
    OtherDigest,
    /// The grant can't be read, parsed or trusted.
    Unusable,
}

/// A call that a driver can make, asks for, is granted or has tried.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CallReport {
    #[serde(serialize_with = "by_name")]
    pub(super) call: Call,
    pub(super) effect: &'static str,
    /// Whether the component can make the call.
    pub(super) importable: bool,
    /// Whether the manifest asks for the call. The reason is the manifest's.
    pub(super) requested: bool,
    pub(super) reason: Option<String>,
    pub(super) granted: bool,
    /// The grant's reach beyond own objects and the request.
    pub(super) reach: Reach,
    /// The patterns with a star in that reach.
    pub(super) stars: Vec<String>,
    /// The number of times that the call was allowed.
    pub(super) used: u64,
    pub(super) first_used: Option<String>,
    pub(super) last_used: Option<String>,
    /// The reach that the allowed calls needed.
    pub(super) reach_used: Reach,
    /// The number of times that the call was denied.
    pub(super) denied: u64,
}

fn by_name<S: serde::Serializer>(call: &Call, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(call.name())
}

/// A fact that needs the operator's attention.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) kind: Kind,
    pub(super) driver: Option<String>,
    pub(super) call: Option<&'static str>,
    pub(super) text: String,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// Good to know
    Info,
    /// More authority than needed, or something that doesn't work
    Warning,
    /// Somebody else may have a say in it
    Danger,
}

impl Level {
    /// Returns the name of the level.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Other users can write to a file that the host trusts.
    Exposed,
    /// A component doesn't have its digest, or is missing.
    Component,
    /// The grant is for another component.
    OtherDigest,
    /// The grant can't be used.
    GrantUnusable,
    /// There is no grant.
    NoGrant,
    /// A grant is for a driver that isn't installed.
    OrphanGrant,
    /// The grant lets runs go on without a trail.
    TrailOptional,
    /// A call is granted that the component doesn't import.
    NotImportable,
    /// A call is granted and was never made.
    NeverUsed,
    /// A reach has a star in it.
    Wildcard,
    /// A call was denied.
    Denied,
    /// A link leads somewhere else, or is gone.
    Link,
    /// A program in the plugin directory isn't wasmvark's.
    ForeignPlugin,
    /// Lines of the trail aren't records.
    TrailUnreadable,
}
