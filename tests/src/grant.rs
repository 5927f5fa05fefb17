//! Grants, as an operator would write them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

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
            "sysctl.set-autoconf",
        ])
    }

    /// Everything that a bridge driver may ask for.
    pub fn bridge() -> Self {
        Self::of(&[
            "addresses.add",
            "links.create-bridge",
            "links.create-veth",
            "links.get",
            "links.set-master",
            "links.set-up",
            "log.write",
            "routes.add",
            "sysctl.set-autoconf",
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
