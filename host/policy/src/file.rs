//! The grant file of a driver.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use types::Digest;

use super::place::Problem;
use super::read::Reader;
use super::{Call, Limits, Reach};

/// The operator's grant for a driver.
#[derive(Debug, Clone)]
pub struct Grant {
    driver: String,
    path: PathBuf,
    digest: Digest,
    limits: Limits,
    calls: BTreeMap<Call, Reach>,
    requires_trail: bool,
    requires_confinement: bool,
}

/// Why a grant can't be used.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The driver has no grant.
    #[error(
        "the driver {driver} has no grant, so it may do nothing: write {}, or install the driver \
         again with --grant or --grant-requested",
        path.display()
    )]
    Missing {
        /// The driver's name.
        driver: String,
        /// The missing file.
        path: PathBuf,
    },
    /// The file can't be read.
    #[error("can't read the grant {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The file isn't a grant of this driver.
    #[error("{}:{problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The problem and its position.
        problem: Box<Problem>,
    },
    /// The grant is for another component.
    #[error(
        "the grant {} is for {granted}, but the driver installed is {installed}: read its requested \
         calls with `wasmvark inspect`, then write the new digest into the grant, or install the driver \
         again; if an upgrade was interrupted, run it again, or go back with `wasmvark rollback {driver}`",
        path.display()
    )]
    OtherDigest {
        /// The driver's name.
        driver: String,
        /// The file.
        path: PathBuf,
        /// The digest in the grant.
        granted: Digest,
        /// The digest of the installed component.
        installed: Digest,
    },
}

/// The keys of a grant file.
const KEYS: [&str; 6] = [
    "driver",
    "digest",
    "limits",
    "calls",
    "trail",
    "confinement",
];

impl Grant {
    /// Parses the grant of a driver. `path` is for messages.
    ///
    /// # Errors
    ///
    /// The text isn't a grant of this driver.
    pub fn parse(driver: &str, path: &Path, text: &str) -> Result<Self, GrantError> {
        read(driver, path, text, None).map_err(|problem| GrantError::invalid(path, problem))
    }

    /// Parses a grant that needn't say which component it is for: without a digest it is for
    /// this one. An installed driver's grant has a digest, which [`Self::parse`] requires.
    ///
    /// # Errors
    ///
    /// The same as of [`Self::parse`], except for a missing digest.
    pub fn parse_for(
        component: &Digest,
        driver: &str,
        path: &Path,
        text: &str,
    ) -> Result<Self, GrantError> {
        let grant = read(driver, path, text, Some(component));
        grant.map_err(|problem| GrantError::invalid(path, problem))
    }

    /// Returns a grant that allows nothing, for runs that only undo.
    pub fn nothing() -> Self {
        Self {
            driver: String::new(),
            path: PathBuf::new(),
            digest: Digest::of(&[]),
            limits: Limits::default(),
            calls: BTreeMap::new(),
            requires_trail: true,
            requires_confinement: false,
        }
    }

    /// Returns the driver's name.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// Refuses a component that the grant isn't for.
    pub fn check_digest(&self, installed: &Digest) -> Result<(), GrantError> {
        if self.digest == *installed {
            return Ok(());
        }
        Err(GrantError::OtherDigest {
            driver: self.driver.clone(),
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

    /// Returns the line of a grant file that lists a call.
    pub fn line(call: Call, reach: &Reach) -> String {
        line(call, reach)
    }

    /// Returns the path of the grant file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the digest of the component that the grant is for.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the limits of a run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a run ends if its trail can't be written. It does unless the file says
    /// otherwise.
    pub fn requires_trail(&self) -> bool {
        self.requires_trail
    }

    /// Whether a run ends if the kernel can't confine it whole. It goes on unless the file
    /// says otherwise, and the trail says what is missing.
    pub fn requires_confinement(&self) -> bool {
        self.requires_confinement
    }

    /// Returns the listed calls, with their reaches.
    pub fn calls(&self) -> &BTreeMap<Call, Reach> {
        &self.calls
    }
}

/// Returns the line of a grant file that lists a call.
pub fn line(call: Call, reach: &Reach) -> String {
    format!("\"{call}\" = {reach}")
}

impl GrantError {
    fn invalid(path: &Path, problem: Problem) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            problem: Box::new(problem),
        }
    }
}

/// Reads a grant. Without a digest it is for `component`, if that is known.
fn read(
    driver: &str,
    path: &Path,
    text: &str,
    component: Option<&Digest>,
) -> Result<Grant, Problem> {
    let reader = Reader::new(text);
    let document = reader.document()?;
    reader.check_keys("a grant", &document, &KEYS)?;
    let missing = |key: &str, example: &str| {
        let what = format!("a grant needs a line `{key} = {example:?}` before its tables");
        reader.wrong(0..0, &what)
    };
    let named = document.get("driver");
    let named = named.ok_or_else(|| missing("driver", driver))?;
    let name = reader.text_of("driver", named)?;
    if name != driver {
        let what = format!("this grant is for the driver {name:?}, not for {driver:?}");
        return Err(reader.wrong(named.span(), &what));
    }
    let digest = match (document.get("digest"), component) {
        (Some(digest), _) => reader
            .text_of("digest", digest)?
            .parse()
            .map_err(|error| reader.wrong(digest.span(), &error))?,
        (None, Some(component)) => component.clone(),
        (None, None) => return Err(missing("digest", "sha256:…")),
    };
    let limits = document.get("limits");
    let calls = document.get("calls");
    let requires = |name, unless_said| match document.get(name) {
        Some(table) => reader.is_required(name, table, unless_said),
        None => Ok(unless_said),
    };
    Ok(Grant {
        driver: name.to_owned(),
        path: path.to_owned(),
        digest,
        limits: limits.map_or_else(|| Ok(Limits::default()), |limits| reader.limits(limits))?,
        calls: calls.map_or_else(|| Ok(BTreeMap::new()), |calls| reader.calls(calls))?,
        requires_trail: requires("trail", true)?,
        requires_confinement: requires("confinement", false)?,
    })
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
        let grant = parse("[calls]\n\"links.get\" = { link = [\"a\", \"container:b\", \"container:c\"] }\n\"routes.add\" = { destination = \"10.0.0.0/8\" }").unwrap();
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
    fn confinement_is_required_if_the_grant_says_so() {
        for rest in ["", "[confinement]", "[confinement]\nrequired = false"] {
            assert!(!parse(rest).unwrap().requires_confinement(), "{rest}");
        }
        let grant = parse("[confinement]\nrequired = true").unwrap();
        assert!(grant.requires_confinement());
    }

    #[test]
    fn every_unknown_word_is_an_error() {
        for rest in [
            "extra = 1",
            "trail = \"best-effort\"",
            "[trail]\nrequire = false",
            "[trail]\nrequired = \"no\"",
            "confinement = true",
            "[confinement]\nrequire = true",
            "[confinement]\nrequired = 1",
            "[limits]\nmemry = 1",
            "[limits]\nmemory = -1",
            "[limits]\ndeadline-ms = 0",
            "[limits]\ncalls = 4294967296",
            "limits = 1",
            "calls = []",
            "driver = 1",
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
            "[calls]\n\"links.get\" = { link = 1 }",
            "[calls]\n\"links.get\" = { link = [[\"a\"]] }",
            "[calls]\n\"links.delete\" = { link = \"a\" }",
            "[calls]\n\"routes.add\" = { table = -1 }",
            "[calls]\n\"routes.add\" = { table = [7, \"7\"] }",
            "[calls]\n\"routes.add\" = { destination = \"10.0.0.1/8\" }",
            "[calls]\n\"routes.add\" = { destination = [\"10.0.0.0/8\", \"10.1.0.0/16\"] }",
            "[calls]\n\"wireguard.set-private-key\" = { secret = \"../x\" }",
            "[calls]\n\"links.get\" = {}\n\"links.get\" = {}",
        ] {
            assert!(
                matches!(parse(rest), Err(GrantError::Invalid { .. })),
                "{rest}"
            );
        }
    }

    #[track_caller]
    fn says(rest: &str, expected: &str) {
        let error = parse(rest).unwrap_err().to_string();
        assert_eq!(error, format!("/grants/d.toml:{expected}"), "{rest}");
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_is() {
        says(
            "[calls]\n\"links.destory\" = {}",
            "4:1: there is no call \"links.destory\"; did you mean \"links.delete\"?\n \
             4 | \"links.destory\" = {}\n   | ^^^^^^^^^^^^^^^",
        );
        says(
            "[calls]\n\"links.get\" = { lnk = \"a\" }",
            "4:17: a reach has no \"lnk\"; did you mean \"link\"?\n \
             4 | \"links.get\" = { lnk = \"a\" }\n   |                 ^^^",
        );
        says(
            "[calls]\n\"links.get\" = { port = \"80/tcp\" }",
            "4:17: links.get has no reach \"port\": it can be widened by link\n \
             4 | \"links.get\" = { port = \"80/tcp\" }\n   |                 ^^^^",
        );
        says(
            "[calls]\n\"links.get\" = { link = [\"eth0\", \"eth*\"] }",
            "4:33: \"eth*\" has a \"*\" that means nothing: write the whole name, \"*\" for all \
             links of the host, or \"container:*\" for the container's\n \
             4 | \"links.get\" = { link = [\"eth0\", \"eth*\"] }\n   |                                 ^^^^^^",
        );
        says(
            "[calls]\n\"links.get\" = { link = [\"*\", \"eth0\"] }",
            "4:30: link \"eth0\" and \"*\" contradict each other: \"*\" has the other as well\n \
             4 | \"links.get\" = { link = [\"*\", \"eth0\"] }\n   |                              ^^^^^^",
        );
        says(
            "[calls]\n\"links.get\" = true",
            "4:15: links.get must be a table, as in `{}`, not true or false\n \
             4 | \"links.get\" = true\n   |               ^^^^",
        );
        says(
            "[calls]\n\"links.get\" = {}\n\"links.get\" = {}",
            "5:1: duplicate key\n 5 | \"links.get\" = {}\n   | ^^^^^^^^^^^",
        );
        says(
            "[limits]\nmemry = 1",
            "4:1: limits has no \"memry\"; did you mean \"memory\"?\n 4 | memry = 1\n   | ^^^^^",
        );
        says(
            "[limits]\ncalls = \"many\"",
            "4:9: calls must be a number, not a string\n 4 | calls = \"many\"\n   |         ^^^^^^",
        );
        says(
            "[limits]\ndeadline-ms = 0",
            "4:15: deadline-ms must be from 1 to 600000, and is 0\n \
             4 | deadline-ms = 0\n   |               ^",
        );
        says(
            "colour = \"red\"",
            "3:1: a grant has no \"colour\"; use one of driver, digest, limits, calls, trail, confinement\n \
             3 | colour = \"red\"\n   | ^^^^^^",
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Grant::parse("d", Path::new("x"), "").unwrap_err();
        let expected = "x:1:1: a grant needs a line `driver = \"d\"` before its tables";
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn a_grant_holds_for_its_driver_and_digest_only() {
        let text = format!("driver = \"other\"\ndigest = \"{DIGEST}\"");
        let error = Grant::parse("d", Path::new("x"), &text).unwrap_err();
        let expected = "x:1:10: this grant is for the driver \"other\", not for \"d\"\n";
        assert!(error.to_string().starts_with(expected), "{error}");
        let grant = parse("").unwrap();
        assert!(grant.check_digest(&Digest::of(b"")).is_ok());
        assert!(grant.check_digest(&Digest::of(b"x")).is_err());
    }

    #[test]
    fn a_grant_without_a_digest_is_for_the_component_that_is_named() {
        let component = Digest::of(b"x");
        let parse = |text: &str| Grant::parse_for(&component, "d", Path::new("x"), text);
        let grant = parse("driver = \"d\"").unwrap();
        assert!(grant.check_digest(&component).is_ok());
        let pinned = format!("driver = \"d\"\ndigest = \"{DIGEST}\"");
        assert!(parse(&pinned).unwrap().check_digest(&component).is_err());
        for wrong in ["", "driver = \"d\"\ndigest = \"x\"", "driver = \"other\""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
