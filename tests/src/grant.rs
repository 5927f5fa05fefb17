//! Grants, as an operator would write them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::places;

/// A grant to be written to a file.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    calls: Vec<(String, String)>,
    limits: Vec<(String, u64)>,
}

impl Grant {
    /// A grant that allows nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// A grant of calls, without any widening.
    pub fn of(calls: &[&str]) -> Self {
        calls
            .iter()
            .fold(Self::nothing(), |grant, call| grant.call(call, "{}"))
    }

    /// What `just install` grants one of this project's drivers.
    pub fn example(driver: &str) -> Self {
        let folder = places::workspace().join("guest-examples").join(driver);
        let file = folder.join("grant.toml");
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        lines.fold(Self::nothing(), |grant, (key, value)| {
            match key.strip_prefix('"') {
                _ if key.starts_with('#') => grant,
                Some(call) => grant.call(call.trim_end_matches('"'), value),
                None => grant.limit(key, value.parse().expect("a limit is a number")),
            }
        })
    }

    /// The names of the calls.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(|(call, _)| call.as_str())
    }

    /// The same without a call.
    pub fn without(mut self, call: &str) -> Self {
        self.calls.retain(|(name, _)| name != call);
        self
    }

    /// Everything that a macvlan driver may ask for.
    pub fn macvlan() -> Self {
        Self::of(&[
            "addresses.add",
            "links.create-macvlan",
            "links.get",
            "links.get-default",
            "links.set-up",
            "log.write",
            "routes.add",
            "sysctl.set-arp-notify",
            "sysctl.set-autoconf",
            "sysctl.set-ndisc-notify",
        ])
    }

    /// Everything that a wireguard driver may ask for.
    pub fn wireguard() -> Self {
        Self::of(&[
            "addresses.add",
            "links.create-wireguard",
            "links.set-up",
            "routes.add",
            "sysctl.set-autoconf",
            "wireguard.set-listen-port",
            "wireguard.set-peer",
            "wireguard.set-private-key",
        ])
    }

    /// Everything that a driver may ask for that moves a link of the host.
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
            "sysctl.set-autoconf",
        ])
    }

    /// Adds a call with its reach, an inline table.
    pub fn call(mut self, call: &str, reach: &str) -> Self {
        self.calls.push((call.into(), reach.into()));
        self
    }

    /// Has the calls that it lists so far make links on the host too.
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

    /// The file for a driver.
    pub fn to_toml(&self, driver: &str, component: &Path) -> String {
        let digest = digest(component);
        let mut toml = format!("driver = \"{driver}\"\ndigest = \"{digest}\"\n\n[limits]\n");
        for (limit, value) in &self.limits {
            writeln!(toml, "{limit} = {value}").expect("a string can grow");
        }
        toml.push_str("\n[calls]\n");
        for (call, reach) in &self.calls {
            writeln!(toml, "\"{call}\" = {reach}").expect("a string can grow");
        }
        toml
    }
}

/// The digest of a file as grants write it.
pub fn digest(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut digest = String::from("sha256:");
    for byte in Sha256::digest(&bytes) {
        write!(digest, "{byte:02x}").expect("a string can grow");
    }
    digest
}
