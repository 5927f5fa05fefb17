//! What a network becomes.

use std::net::IpAddr;

use policy::{Call, KeyPattern, LinkPattern, Reach};
use serde::Serialize;
use types::{LinkName, Namespace, SettingKey};

use super::ipam::Subnet;
use super::keys::Keys;
use super::routes::StaticRoute;
use super::{ConvertError, quoted};

/// The network that does what a CNI document asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The network's name.
    pub network: String,
    /// The driver as `just install` names it: `wasm-bridge`.
    pub driver: &'static str,
    /// What is to be known of it.
    pub notes: Vec<Note>,
    /// What containers are given when they are run.
    pub at_run_time: Vec<AtRunTime>,
    /// What the driver's grant must allow besides what `just install` grants.
    pub grants: Vec<(Call, Reach)>,
    pub(super) internal: bool,
    pub(super) no_addresses: bool,
    pub(super) subnets: Vec<Subnet>,
    pub(super) routes: Vec<StaticRoute>,
    /// A PCI device that the runtime passed.
    pub(super) device: Option<String>,
    options: Vec<(String, String)>,
}

/// Something about a key of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Note {
    /// Whether anything does what it says.
    pub kind: NoteKind,
    /// The key, with those above it.
    pub key: String,
    /// What there is to know.
    pub text: String,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoteKind {
    /// The key has no counterpart.
    NoCounterpart,
    /// It has one, or needs none, and there is something to know.
    Remark,
}

/// What a container is given when it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AtRunTime {
    /// The key that it follows from.
    pub key: String,
    /// The flags of `podman run`.
    pub flags: String,
}

impl Note {
    /// A key that nobody knows.
    pub(super) fn unknown(key: &str, whose: &str) -> Self {
        Self {
            kind: NoteKind::NoCounterpart,
            key: key.to_owned(),
            text: format!("{whose} has no such key, as far as is known here"),
        }
    }
}

impl Plan {
    /// An empty one.
    pub(super) fn new(network: String) -> Self {
        Self {
            network,
            ..Self::default()
        }
    }

    /// The command that makes the network, word by word.
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
        if self.no_addresses {
            words.extend(["--ipam-driver", "none"].map(str::to_owned));
        }
        words.extend(Subnet::words(&self.subnets, self.internal));
        for route in &self.routes {
            words.extend(["--route".to_owned(), route.to_string()]);
        }
        words.push(self.network.clone());
        words
    }

    /// Whether it is a network of a driver of this project's.
    pub(super) fn is_of(&self, driver: &str) -> bool {
        self.driver == driver
    }

    /// Sets an option of the network; the last one counts.
    #[expect(clippy::needless_pass_by_value, reason = "values are small")]
    pub(super) fn option(&mut self, key: &str, value: impl ToString) {
        self.drop_option(key);
        self.options.push((key.to_owned(), value.to_string()));
    }

    /// Takes an option away.
    pub(super) fn drop_option(&mut self, key: &str) {
        self.options.retain(|(own, _)| own != key);
    }

    /// The value of an option.
    pub(super) fn find_option(&self, key: &str) -> Option<&str> {
        let option = self.options.iter().find(|(own, _)| own == key)?;
        Some(&option.1)
    }

    /// Says that a key has no counterpart.
    pub(super) fn no_counterpart(&mut self, key: &str, text: &str) {
        self.note(NoteKind::NoCounterpart, key, text);
    }

    /// Says something about a key.
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

    /// Says what a container is given when it is run.
    pub(super) fn at_run_time(&mut self, key: &str, flags: String) {
        let key = key.to_owned();
        self.at_run_time.push(AtRunTime { key, flags });
    }

    /// A container's MAC address.
    pub(super) fn mac(&mut self, key: &str, mac: &str) {
        let flags = format!(
            "--network {}",
            quoted(&format!("{}:mac={mac}", self.network))
        );
        self.at_run_time(key, flags);
    }

    /// A container's addresses.
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

    /// Says of each key that nobody took that nothing knows it.
    pub(super) fn unknown(&mut self, whose: &str, keys: &Keys) {
        self.notes
            .extend(keys.left().map(|key| Note::unknown(&key, whose)));
    }

    /// A setting of the container that isn't one of its own interface.
    pub(super) fn needs_setting(&mut self, key: &SettingKey) {
        let reach = Reach {
            key: vec![KeyPattern::one(Namespace::Container, key)],
            ..Reach::default()
        };
        self.grants.push((Call::SysctlSet, reach));
    }

    /// A link of the container that isn't the driver's.
    pub(super) fn needs_link(&mut self, call: Call, name: &LinkName) {
        let reach = Reach {
            link: vec![LinkPattern::one(Namespace::Container, name.clone())],
            ..Reach::default()
        };
        self.grants.push((call, reach));
    }

    /// Checks what only the whole shows.
    pub(super) fn check(&mut self) -> Result<(), ConvertError> {
        Subnet::check(&self.subnets)?;
        self.check_ports();
        Ok(())
    }

    /// Takes published ports away where none can be had.
    fn check_ports(&mut self) {
        let is_port = |one: &AtRunTime| one.flags.starts_with("-p ");
        if !self.at_run_time.iter().any(is_port) {
            return;
        }
        let is_routed = ["wasm-bridge", "wasm-ptp"].contains(&self.driver);
        let why = if !is_routed {
            "this driver publishes none: its containers are reached at their own addresses"
        } else if self.internal {
            "an internal network publishes none"
        } else if self.find_option("mode") == Some("unmanaged") {
            "none are published on a bridge that isn't the network's own"
        } else {
            return;
        };
        self.at_run_time.retain(|one| !is_port(one));
        self.no_counterpart("portMappings", why);
    }
}
