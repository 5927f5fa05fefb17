//! What calls leave to a confined run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use confine::{Needs, Place, Use};
use journal::Entry;
use policy::{Call, Reach, ReachKey};
use serde::Serialize;
use types::KernelInterface;

use crate::store::Layout;

/// The identity of the running kernel's boot, which journals begin with.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The kernel settings of the network.
const SETTINGS: &str = "/proc/sys/net";
/// The device that makes taps.
const TUN: &str = "/dev/net/tun";

/// What a run may do, by its kind and its grant's calls.
#[derive(Debug, Clone)]
pub(crate) struct Rights {
    kind: Kind,
    interfaces: BTreeSet<KernelInterface>,
    /// Whether links are moved. The kernel tells an administrator of the network alone where
    /// the other end of one is.
    moves: bool,
    secrets: bool,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It makes a network.
    Create,
    /// It connects or disconnects a container.
    Connect,
    /// It plans one of both.
    Plan,
}

/// The same for people and programs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RightsLeft {
    /// The capabilities that stay.
    capabilities: Vec<&'static str>,
    /// The families of sockets that can be opened.
    sockets: Vec<&'static str>,
    /// The files that can be read.
    reads: Vec<&'static str>,
    /// The files that can be written.
    writes: Vec<&'static str>,
    /// The system calls that can be made, some of them with some arguments only.
    system_calls: Vec<&'static str>,
}

impl Rights {
    /// Returns the rights of a run whose driver may make these calls.
    pub(crate) fn of(kind: Kind, calls: &BTreeMap<Call, Reach>) -> Self {
        let interfaces = calls.keys().flat_map(|call| call.kernel_interfaces());
        Self {
            kind,
            interfaces: interfaces.filter(|used| kind.uses(*used)).collect(),
            moves: calls.contains_key(&Call::LinksMoveToContainer),
            secrets: kind == Kind::Connect && calls.keys().any(reads_secrets),
        }
    }

    /// Adds those that undoing takes.
    pub(super) fn undo(&mut self, entries: &[Entry]) {
        let undone = entries.iter();
        let interfaces = undone.flat_map(|entry| entry.change.kernel_interfaces());
        self.interfaces.extend(interfaces);
    }

    fn has(&self, interface: KernelInterface) -> bool {
        self.interfaces.contains(&interface)
    }

    /// Returns what the run needs beside files.
    pub(super) fn needs(&self) -> Needs {
        Needs {
            network: true,
            // Nobody else can read the firewall.
            admin: match self.kind {
                Kind::Create => false,
                Kind::Plan => self.moves || self.has(KernelInterface::Netfilter),
                Kind::Connect => true,
            },
            netfilter: self.has(KernelInterface::Netfilter),
            generic: self.has(KernelInterface::Generic),
            announce: self.has(KernelInterface::Packets),
            taps: self.has(KernelInterface::Tun),
            ..Needs::default()
        }
    }

    /// Returns the files of each such run. `home` has the network's journals.
    pub(super) fn places(&self, layout: &Layout, home: Option<PathBuf>) -> Vec<Place> {
        let settings = match self.has(KernelInterface::Settings) {
            true => Use::Write,
            false => Use::Read,
        };
        let mut places = vec![place(Path::new(SETTINGS), settings)];
        match self.kind {
            Kind::Create => places.push(place(&layout.pools(), Use::RemoveFiles)),
            Kind::Plan => places.extend([read(Path::new(BOOT_ID)), read(&layout.journals())]),
            Kind::Connect => places.extend([
                read(Path::new(BOOT_ID)),
                read(&layout.journals()),
                place(&layout.journals(), Use::RemoveFolders),
                place(&layout.locks(), Use::RemoveFiles),
            ]),
        }
        if self.kind == Kind::Connect
            && let Some(home) = home
        {
            places.push(place(&home, Use::Keep));
        }
        if self.has(KernelInterface::Tun) {
            places.push(place(Path::new(TUN), Use::Device));
        }
        places
    }

    /// Says for people what stays.
    pub(crate) fn left(&self) -> RightsLeft {
        let needs = self.needs();
        let mut left = RightsLeft {
            capabilities: needs.capabilities(),
            sockets: needs.families(),
            reads: vec!["the networks' journals"],
            writes: vec!["its network's journal"],
            system_calls: confine::allowed_calls(&needs),
        };
        match self.has(KernelInterface::Settings) {
            true => left.writes.push(SETTINGS),
            false => left.reads.push(SETTINGS),
        }
        if self.has(KernelInterface::Tun) {
            left.writes.push(TUN);
        }
        if self.secrets {
            left.reads.push("the secrets that it may use");
        }
        left
    }
}

impl Kind {
    /// Whether such a run takes a way into the kernel.
    fn uses(self, interface: KernelInterface) -> bool {
        match self {
            Self::Create => false,
            Self::Connect => true,
            Self::Plan => matches!(
                interface,
                KernelInterface::Netfilter | KernelInterface::Generic
            ),
        }
    }
}

impl RightsLeft {
    /// Says it in one line.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "has {}; opens {}; writes {}; reads {}; nothing else",
            self.capabilities.join(", "),
            self.sockets.join(", "),
            self.writes.join(", "),
            self.reads.join(", ")
        )
    }
}

/// Returns the secrets that calls may read: by their reach, or because the request names
/// them.
pub(super) fn secrets(
    calls: &BTreeMap<Call, Reach>,
    named: &[String],
    folder: &Path,
) -> Vec<Place> {
    let reading = || calls.iter().filter(|(call, _)| reads_secrets(call));
    if reading().next().is_none() {
        return Vec::new();
    }
    let is_allowed =
        |name: &String| named.contains(name) || reading().any(|(_, reach)| reach.has_secret(name));
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let allowed = names.filter(is_allowed);
    allowed.map(|name| read(&folder.join(name))).collect()
}

fn reads_secrets(call: &Call) -> bool {
    call.reach_keys().contains(&ReachKey::Secret)
}

/// Returns a file or folder to read.
pub(super) fn read(path: &Path) -> Place {
    place(path, Use::Read)
}

fn place(path: &Path, uses: Use) -> Place {
    Place {
        path: path.to_owned(),
        uses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(calls: &[Call]) -> String {
        let calls = calls.iter().map(|call| (*call, Reach::default()));
        Rights::of(Kind::Connect, &calls.collect())
            .left()
            .in_words()
    }

    #[test]
    fn a_grant_leaves_what_its_calls_need() {
        assert_eq!(
            words(&[Call::LinksGet]),
            "has CAP_NET_ADMIN; opens NETLINK_ROUTE; writes its network's journal; reads the \
             networks' journals, /proc/sys/net; nothing else"
        );
        assert_eq!(
            words(&[Call::LinksCreateTap, Call::FirewallMasquerade]),
            "has CAP_NET_ADMIN; opens NETLINK_ROUTE, NETLINK_NETFILTER; writes its network's \
             journal, /proc/sys/net, /dev/net/tun; reads the networks' journals; nothing else"
        );
        let all = words(Call::ALL);
        assert!(
            all.contains("CAP_NET_RAW") && all.contains("NETLINK_GENERIC"),
            "{all}"
        );
        assert!(all.contains("the secrets that it may use"), "{all}");
    }

    #[test]
    fn a_plan_is_an_administrator_only_to_read() {
        let admin = |kind, call| {
            let calls = BTreeMap::from([(call, Reach::default())]);
            Rights::of(kind, &calls).needs().admin
        };
        assert!(!admin(Kind::Plan, Call::LinksCreateMacvlan));
        assert!(admin(Kind::Plan, Call::FirewallMasquerade));
        assert!(admin(Kind::Plan, Call::LinksMoveToContainer));
        assert!(!admin(Kind::Create, Call::FirewallMasquerade));
    }

    #[test]
    fn secrets_are_those_that_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["named", "granted", "other"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let reach: Reach = serde_json::from_str(r#"{"secret":["granted"]}"#).unwrap();
        let open = |call| {
            let calls = BTreeMap::from([(call, reach.clone())]);
            let named = ["named".to_owned()];
            let places = secrets(&calls, &named, folder.path()).into_iter();
            let names = places.map(|place| place.path.file_name().unwrap().to_owned());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        assert_eq!(open(Call::WireguardSetPrivateKey), ["granted", "named"]);
        assert!(open(Call::LinksGet).is_empty());
    }
}
