//! The report, as `docs/audit.schema.json` describes it.

use clap::ValueEnum;
use policy::{Call, Reach};
use serde::Serialize;

/// The version of the report's form: another one where a key changes its
/// meaning or goes.
pub(super) const VERSION: u32 = 1;

/// All that `audit` finds out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Report {
    pub(super) version: u32,
    /// When it was made, in UTC.
    pub(super) time: String,
    pub(super) trail: TrailReport,
    pub(super) drivers: Vec<DriverReport>,
    /// The worst first.
    pub(super) findings: Vec<Finding>,
}

/// What the report rests on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct TrailReport {
    pub(super) file: String,
    /// The times of the oldest and the youngest line that count.
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    /// Lines that are none.
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
    /// Runs of this component that the trail has.
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

/// Whether there is a grant that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GrantState {
    Valid,
    /// There is none.
    None,
    /// It was given for another component.
    OtherDigest,
    /// It can't be read, parsed or trusted.
    Unusable,
}

/// A call that a driver can make, asks for, is granted, or tried.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CallReport {
    #[serde(serialize_with = "by_name")]
    pub(super) call: Call,
    pub(super) effect: &'static str,
    /// The component imports it.
    pub(super) importable: bool,
    /// The manifest asks for it, for this reason.
    pub(super) requested: bool,
    pub(super) reason: Option<String>,
    pub(super) granted: bool,
    /// The grant's reach beyond own objects and the request.
    pub(super) reach: Reach,
    /// What of that has a star in it.
    pub(super) stars: Vec<String>,
    /// How many times it was allowed, and when.
    pub(super) used: u64,
    pub(super) first_used: Option<String>,
    pub(super) last_used: Option<String>,
    /// The reach that it needed for that.
    pub(super) reach_used: Reach,
    /// How many times it was denied.
    pub(super) denied: u64,
}

fn by_name<S: serde::Serializer>(call: &Call, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(call.name())
}

/// Something that somebody should look at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) kind: Kind,
    pub(super) driver: Option<String>,
    pub(super) call: Option<&'static str>,
    pub(super) text: String,
}

/// How bad it is.
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
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// Others can write a file that decides something.
    Exposed,
    /// A component isn't what its digest says, or is gone.
    Component,
    /// The grant is for another component.
    OtherDigest,
    /// The grant can't be used.
    GrantUnusable,
    /// There is no grant.
    NoGrant,
    /// A grant for a driver that isn't installed.
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
    /// A program in the plugin directory that isn't wasmvark's.
    ForeignPlugin,
    /// Lines of the trail that are none.
    TrailUnreadable,
}
