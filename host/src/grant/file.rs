//! The grant file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Call, Limits, Reach};
use crate::digest::Digest;

/// What the operator allows one driver.
#[derive(Debug, Clone)]
pub struct Grant {
    driver: String,
    path: PathBuf,
    digest: Digest,
    limits: Limits,
    calls: BTreeMap<Call, Reach>,
    trail: TrailRule,
}

/// What the trail is to a driver's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TrailRule {
    required: bool,
}

impl Default for TrailRule {
    fn default() -> Self {
        Self { required: true }
    }
}

/// Why a grant can't be used.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is none.
    #[error(
        "the driver {driver} has no grant, so it may do nothing: write {}, or install the driver \
         again with --grant or --grant-requested",
        path.display()
    )]
    Missing {
        /// The driver's name.
        driver: String,
        /// Where the grant is looked for.
        path: PathBuf,
    },
    /// The file can't be read.
    #[error("can't read the grant {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no grant.
    #[error("the grant {} is not valid: {error}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        error: String,
    },
    /// It belongs to another driver.
    #[error("the grant {} is for the driver {found}, not for {driver}", path.display())]
    OtherDriver {
        /// The file.
        path: PathBuf,
        /// Whom it names.
        found: String,
        /// Who asked.
        driver: String,
    },
    /// It was given for another component.
    #[error(
        "the grant {} is for {granted}, but the driver installed is {installed}: read what it asks \
         for with `wasmvark inspect`, then put the new digest into the grant or install it again",
        path.display()
    )]
    OtherDigest {
        /// The file.
        path: PathBuf,
        /// The digest that was approved.
        granted: Digest,
        /// The digest that is there.
        installed: Digest,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    driver: String,
    digest: Digest,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    calls: BTreeMap<String, Reach>,
    #[serde(default)]
    trail: TrailRule,
}

impl Grant {
    /// Parses the grant of a driver; `path` is for messages.
    pub fn parse(driver: &str, path: &Path, text: &str) -> Result<Self, GrantError> {
        let invalid = |error: String| GrantError::Invalid {
            path: path.to_owned(),
            error,
        };
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        file.limits.check().map_err(invalid)?;
        if file.driver != driver {
            return Err(GrantError::OtherDriver {
                path: path.to_owned(),
                found: file.driver,
                driver: driver.to_owned(),
            });
        }
        Ok(Self {
            driver: file.driver,
            path: path.to_owned(),
            digest: file.digest,
            limits: file.limits,
            calls: parse_calls(file.calls).map_err(invalid)?,
            trail: file.trail,
        })
    }

    /// A grant that allows nothing, for runs that only undo.
    pub fn nothing() -> Self {
        Self {
            driver: String::new(),
            path: PathBuf::new(),
            digest: Digest::of(&[]),
            limits: Limits::default(),
            calls: BTreeMap::new(),
            trail: TrailRule::default(),
        }
    }

    /// The driver's name.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// Refuses a component that the grant wasn't given for.
    pub fn check_digest(&self, installed: &Digest) -> Result<(), GrantError> {
        if self.digest == *installed {
            return Ok(());
        }
        Err(GrantError::OtherDigest {
            path: self.path.clone(),
            granted: self.digest.clone(),
            installed: installed.clone(),
        })
    }

    /// Writes the text of a grant.
    pub fn text(
        driver: &str,
        digest: &Digest,
        limits: &Limits,
        calls: &BTreeMap<Call, Reach>,
    ) -> String {
        let mut text = format!(
            "# What the driver may do; anything that isn't listed is denied.\n\
             driver = {driver:?}\ndigest = \"{digest}\"\n\n[limits]\n\
             # bytes of memory, elements of tables, core instances, bytes of log, calls, milliseconds\n\
             memory = {}\ntable-elements = {}\ninstances = {}\nlog-bytes = {}\ncalls = {}\n\
             deadline-ms = {}\n\n\
             [calls]\n",
            limits.memory,
            limits.table_elements,
            limits.instances,
            limits.log_bytes,
            limits.calls,
            limits.deadline_ms,
        );
        for (call, reach) in calls {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{}", line(*call, reach));
        }
        text
    }

    /// The line of a grant file that lists a call.
    pub fn line(call: Call, reach: &Reach) -> String {
        line(call, reach)
    }

    /// The file that it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The component that it was given for.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The bounds of a run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a run ends when its trail can't be written; it does unless the
    /// file says otherwise.
    pub fn requires_trail(&self) -> bool {
        self.trail.required
    }

    /// The calls that it lists, with their widenings.
    pub fn calls(&self) -> &BTreeMap<Call, Reach> {
        &self.calls
    }
}

/// The line of a grant file that lists a call.
pub(super) fn line(call: Call, reach: &Reach) -> String {
    format!("\"{call}\" = {reach}")
}

fn parse_calls(calls: BTreeMap<String, Reach>) -> Result<BTreeMap<Call, Reach>, String> {
    calls
        .into_iter()
        .map(|(name, reach)| {
            let call: Call = name.parse().map_err(|error| format!("{error}"))?;
            check_keys(call, &reach)?;
            Ok((call, reach))
        })
        .collect()
}

/// Refuses a widening that could never apply: it would only look like one.
fn check_keys(call: Call, reach: &Reach) -> Result<(), String> {
    match reach.keys().find(|key| !call.reach_keys().contains(key)) {
        None => Ok(()),
        Some(key) => Err(format!("{call} has no reach {:?}", key.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(rest: &str) -> Result<Grant, GrantError> {
        let text = format!("driver = \"d\"\ndigest = \"{DIGEST}\"\n{rest}");
        Grant::parse("d", Path::new("/grants/d.toml"), &text)
    }

    #[test]
    fn what_is_not_listed_is_not_there() {
        assert!(parse("").unwrap().calls().is_empty());
        assert!(parse("[calls]").unwrap().calls().is_empty());
    }

    #[test]
    fn the_text_of_a_grant_reads_back_as_the_same() {
        let grant = parse("[calls]\n\"links.get\" = { link = [\"a\", \"container:b\", \"*\"] }\n\"routes.add\" = { destination = \"10.0.0.0/8\" }").unwrap();
        let text = Grant::text("d", grant.digest(), grant.limits(), grant.calls());
        let again = Grant::parse("d", Path::new("x"), &text).unwrap();
        assert_eq!(again.calls(), grant.calls());
        assert_eq!(again.limits(), grant.limits());
    }

    #[test]
    fn the_trail_is_required_unless_the_grant_says_otherwise() {
        for rest in ["", "[trail]", "[trail]\nrequired = true"] {
            assert!(parse(rest).unwrap().requires_trail(), "{rest}");
        }
        assert!(!parse("[trail]\nrequired = false").unwrap().requires_trail());
        assert!(Grant::nothing().requires_trail());
    }

    #[test]
    fn a_name_can_not_end_its_own_quotes() {
        let grant = parse("[calls]\n\"links.get\" = { link = [\"a\\\"\", \"b\\\\\"] }").unwrap();
        let text = Grant::text("d", grant.digest(), grant.limits(), grant.calls());
        let again = Grant::parse("d", Path::new("x"), &text).unwrap();
        assert_eq!(again.calls(), grant.calls());
    }

    #[test]
    fn every_unknown_word_is_an_error() {
        for rest in [
            "extra = 1",
            "trail = \"best-effort\"",
            "[trail]\nrequire = false",
            "[trail]\nrequired = \"no\"",
            "[limits]\nmemry = 1",
            "[limits]\nmemory = -1",
            "[limits]\ndeadline-ms = 0",
            "[limits]\ndeadline-ms = 18446744073709551615",
            "[calls]\n\"links.destroy\" = {}",
            "[calls]\n\"links.get\" = { links = \"a\" }",
            "[calls]\n\"links.get\" = { destination = \"10.0.0.0/8\" }",
            "[calls]\n\"links.get\" = { link = \"a/b\" }",
            "[calls]\n\"links.get\" = { link = \"a*\u{7}\" }",
            "[calls]\n\"routes.add\" = { destination = \"everywhere\" }",
            "[calls]\n\"firewall.publish\" = { port = \"8080\" }",
            "[calls]\n\"firewall.publish\" = { port = \"81-80/tcp\" }",
            "[calls]\n\"firewall.publish\" = { port = \"80/icmp\" }",
            "[calls]\n\"firewall.publish\" = { port = \"65536/tcp\" }",
            "[calls]\n\"links.get\" = true",
            "[calls]\n\"links.get\" = {}\n\"links.get\" = {}",
        ] {
            assert!(
                matches!(parse(rest), Err(GrantError::Invalid { .. })),
                "{rest}"
            );
        }
    }

    #[test]
    fn a_grant_holds_for_its_driver_and_digest_only() {
        let text = format!("driver = \"other\"\ndigest = \"{DIGEST}\"");
        assert!(matches!(
            Grant::parse("d", Path::new("x"), &text),
            Err(GrantError::OtherDriver { .. })
        ));
        let grant = parse("").unwrap();
        assert!(grant.check_digest(&Digest::of(b"")).is_ok());
        assert!(grant.check_digest(&Digest::of(b"x")).is_err());
    }
}
