//! The network that a document becomes.

use std::net::IpAddr;

use policy::{Call, KeyPattern, LinkPattern, Reach};
use serde::Serialize;
use types::{LinkName, Namespace, SettingKey};

use super::ipam::Subnet;
use super::keys::Keys;
use super::routes::StaticRoute;
use super::{ConvertError, quoted};

/// The network that a CNI document becomes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The network's name.
    pub network: String,
    /// The driver, as `just install` names it: `wasm-bridge`.
    pub driver: &'static str,
    /// The notes about keys of the document.
    pub notes: Vec<Note>,
    /// The flags that containers need when they are run.
    pub at_run_time: Vec<AtRunTime>,
    /// The calls that the driver's grant must allow besides those of `just install`.
    pub grants: Vec<(Call, Reach)>,
    pub(super) internal: bool,
    pub(super) no_addresses: bool,
    pub(super) subnets: Vec<Subnet>,
    pub(super) routes: Vec<StaticRoute>,
    /// The PCI device that the runtime passed.
    pub(super) device: Option<String>,
    options: Vec<(String, String)>,
}

/// A note about a key of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Note {
    /// The note's kind.
    pub kind: NoteKind,
    /// The key, with those above it.
    pub key: String,
    /// The note's text.
    pub text: String,
}

/// The kind of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoteKind {
    /// The key has no counterpart.
    NoCounterpart,
    /// The key has a counterpart, or needs none.
    Remark,
}

/// The flags that a container needs when it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AtRunTime {
    /// The key that the flags stand for.
    pub key: String,
    /// The flags of `podman run`.
    pub flags: String,
}

/// The drivers whose networks have names, unless they are turned off.
const SERVES_NAMES: [&str; 2] = ["wasm-bridge", "wasm-ptp"];

impl Note {
    /// Returns a note about an unknown key of a plugin.
    pub(super) fn unknown(key: &str, plugin: &str) -> Self {
        Self {
            kind: NoteKind::NoCounterpart,
            key: key.to_owned(),
            text: format!("this is not a known key of {plugin}"),
        }
    }
}

impl Plan {
    /// Returns the empty plan of a network.
    pub(super) fn new(network: String) -> Self {
        Self {
            network,
            ..Self::default()
        }
    }

    /// Returns the words of the command that makes the network.
    pub(crate) fn command(&self) -> Vec<String> {
        let mut words: Vec<String> = ["podman", "network", "create", "-d", self.driver]
            .map(str::to_owned)
            .into();
        for (key, value) in &self.options {
            words.extend(["-o".to_owned(), format!("{key}={value}")]);
        }
        if self.internal {
            words.push("--internal".to_owned());
        }
        // CNI's networks have no names, and the DNS server would need a gateway.
        if SERVES_NAMES.contains(&self.driver) && !self.no_addresses {
            words.push("--disable-dns".to_owned());
        }
        if self.no_addresses {
            words.extend(["--ipam-driver", "none"].map(str::to_owned));
        }
        words.extend(Subnet::flags(&self.subnets, self.internal));
        for route in &self.routes {
            words.extend(["--route".to_owned(), route.to_string()]);
        }
        words.push(self.network.clone());
        words
    }

    /// Whether the network has this driver.
    pub(super) fn is_of(&self, driver: &str) -> bool {
        self.driver == driver
    }

    /// Sets an option of the network. A later value replaces an earlier one.
    #[expect(clippy::needless_pass_by_value, reason = "values are small")]
    pub(super) fn option(&mut self, key: &str, value: impl ToString) {
        self.drop_option(key);
        self.options.push((key.to_owned(), value.to_string()));
    }

    /// Removes an option.
    pub(super) fn drop_option(&mut self, key: &str) {
        self.options.retain(|(own, _)| own != key);
    }

    /// Returns the value of an option.
    pub(super) fn find_option(&self, key: &str) -> Option<&str> {
        let option = self.options.iter().find(|(own, _)| own == key)?;
        Some(&option.1)
    }

    /// Notes that a key has no counterpart.
    pub(super) fn no_counterpart(&mut self, key: &str, text: &str) {
        self.note(NoteKind::NoCounterpart, key, text);
    }

    /// Adds a remark about a key.
    pub(super) fn remark(&mut self, key: &str, text: &str) {
        self.note(NoteKind::Remark, key, text);
    }

    fn note(&mut self, kind: NoteKind, key: &str, text: &str) {
        self.notes.push(Note {
            kind,
            key: key.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Adds flags that a container needs when it is run.
    pub(super) fn at_run_time(&mut self, key: &str, flags: String) {
        let key = key.to_owned();
        self.at_run_time.push(AtRunTime { key, flags });
    }

    /// Adds the flags for a container's MAC address.
    pub(super) fn mac(&mut self, key: &str, mac: &str) {
        let flags = format!(
            "--network {}",
            quoted(&format!("{}:mac={mac}", self.network))
        );
        self.at_run_time(key, flags);
    }

    /// Adds the flags for a container's addresses.
    pub(super) fn addresses(&mut self, key: &str, addresses: &[IpAddr]) {
        if addresses.is_empty() {
            return;
        }
        let given = addresses.iter().map(|address| match address {
            IpAddr::V4(address) => format!("ip={address}"),
            IpAddr::V6(address) => format!("ip6={address}"),
        });
        let given: Vec<_> = given.collect();
        let flags = format!("--network {}:{}", self.network, given.join(","));
        self.at_run_time(key, flags);
    }

    /// Notes that the remaining keys of a plugin are unknown.
    pub(super) fn unknown(&mut self, plugin: &str, keys: &Keys) {
        self.notes
            .extend(keys.left().map(|key| Note::unknown(&key, plugin)));
    }

    /// Adds a line of the grant for a setting that isn't one of the container's interface.
    pub(super) fn needs_setting(&mut self, key: &SettingKey) {
        let reach = Reach {
            key: vec![KeyPattern::one(Namespace::Container, key)],
            ..Reach::default()
        };
        self.grants.push((Call::SysctlSet, reach));
    }

    /// Adds a line of the grant for a foreign link of the container.
    pub(super) fn needs_link(&mut self, call: Call, name: &LinkName) {
        let reach = Reach {
            link: vec![LinkPattern::one(Namespace::Container, name.clone())],
            ..Reach::default()
        };
        self.grants.push((call, reach));
    }

    /// Checks the complete plan.
    pub(super) fn check(&mut self) -> Result<(), ConvertError> {
        Subnet::check(&self.subnets)?;
        self.check_ports();
        Ok(())
    }

    /// Removes published ports if the network can have none.
    fn check_ports(&mut self) {
        let is_port = |one: &AtRunTime| one.flags.starts_with("-p ");
        if !self.at_run_time.iter().any(is_port) {
            return;
        }
        let is_routed = ["wasm-bridge", "wasm-ptp"].contains(&self.driver);
        let why = if !is_routed {
            "this driver publishes no ports: its containers are reached at their own addresses"
        } else if self.internal {
            "an internal network publishes no ports"
        } else if self.find_option("mode") == Some("unmanaged") {
            "no ports are published on a bridge that isn't the network's own"
        } else {
            return;
        };
        self.at_run_time.retain(|one| !is_port(one));
        self.no_counterpart("portMappings", why);
    }
}
