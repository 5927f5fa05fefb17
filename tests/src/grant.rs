//! Grants, as operators write them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::places;

/// The call by which the probe returns its results, as search domains of the answer.
const RESULTS: &str = "answer.search";

/// A grant that can be written to a file.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    calls: Vec<(String, String)>,
    limits: Vec<(String, u64)>,
    /// Whether the grant has only these calls, and not the one for results.
    is_strict: bool,
}

impl Grant {
    /// Returns a grant that allows nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Returns a grant of calls without patterns.
    pub fn of(calls: &[&str]) -> Self {
        calls
            .iter()
            .fold(Self::nothing(), |grant, call| grant.call(call, "{}"))
    }

    /// Returns the grant that `just install` gives one of this project's drivers.
    pub fn example(driver: &str) -> Self {
        let folder = places::workspace().join("guest-examples").join(driver);
        let file = folder.join("grant.toml");
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        lines.fold(Self::nothing().strict(), |grant, (key, value)| {
            match key.strip_prefix('"') {
                _ if key.starts_with('#') => grant,
                Some(call) => grant.call(call.trim_end_matches('"'), value),
                None => grant.limit(key, value.parse().expect("a limit is a number")),
            }
        })
    }

    /// Leaves out the call by which the probe returns results.
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Returns the names of the calls.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|(call, _)| call.as_str())
    }

    /// Leaves out a call.
    pub fn without(mut self, call: &str) -> Self {
        self.calls.retain(|(name, _)| name != call);
        self
    }

    /// Returns a grant of all calls that a macvlan driver may want.
    pub fn macvlan() -> Self {
        Self::of(&[
            "addresses.add",
            "links.create-macvlan",
            "links.get",
            "links.get-default",
            "links.set-up",
            "log.write",
            "routes.add",
            "routes.list",
            "sysctl.set-arp-notify",
            "sysctl.set-autoconf",
            "sysctl.set-ndisc-notify",
        ])
    }

    /// Returns a grant of all calls that a WireGuard driver may want.
    pub fn wireguard() -> Self {
        Self::of(&[
            "addresses.add",
            "links.create-wireguard",
            "links.set-up",
            "routes.add",
            "routes.list",
            "sysctl.set-autoconf",
            "wireguard.set-listen-port",
            "wireguard.set-peer",
            "wireguard.set-private-key",
        ])
    }

    /// Returns a grant of all calls that a driver may want that moves a link of the
    /// host.
    pub fn host_device() -> Self {
        Self::of(&[
            "addresses.add",
            "links.get",
            "links.get-by-mac",
            "links.get-by-path",
            "links.get-by-pci",
            "links.get-default",
            "links.move-to-container",
            "links.set-mac",
            "links.set-mtu",
            "links.set-up",
            "log.write",
            "routes.add",
            "routes.list",
            "sysctl.set-autoconf",
        ])
    }

    /// Adds a call with its reach, which is an inline table.
    pub fn call(mut self, call: &str, reach: &str) -> Self {
        self.calls.push((call.into(), reach.into()));
        self
    }

    /// Allows all calls so far to make links on the host too.
    pub fn on_host(mut self) -> Self {
        const PLACES: &str = r#"place = ["host", "shared"]"#;
        for (call, reach) in &mut self.calls {
            if call.starts_with("links.create-") {
                *reach = match reach.trim_matches(['{', '}', ' ']) {
                    "" => format!("{{ {PLACES} }}"),
                    rest => format!("{{ {rest}, {PLACES} }}"),
                };
            }
        }
        self
    }

    /// Sets a limit.
    pub fn limit(mut self, limit: &str, value: u64) -> Self {
        self.limits.push((limit.into(), value));
        self
    }

    /// Returns the text of the grant file for a driver.
    pub fn to_toml(&self, driver: &str, component: &Path) -> String {
        let digest = digest(component);
        let mut toml = format!("driver = \"{driver}\"\ndigest = \"{digest}\"\n\n[limits]\n");
        for (limit, value) in &self.limits {
            writeln!(toml, "{limit} = {value}").expect("a string can grow");
        }
        toml.push_str("\n[calls]\n");
        let results = !self.is_strict && self.calls().all(|call| call != RESULTS);
        let results = results.then(|| (RESULTS.to_owned(), "{}".to_owned()));
        for (call, reach) in self.calls.iter().chain(&results) {
            writeln!(toml, "\"{call}\" = {reach}").expect("a string can grow");
        }
        toml
    }
}

/// Returns the digest of a file in the form of grants.
pub fn digest(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut digest = String::from("sha256:");
    for byte in Sha256::digest(&bytes) {
        write!(digest, "{byte:02x}").expect("a string can grow");
    }
    digest
}
