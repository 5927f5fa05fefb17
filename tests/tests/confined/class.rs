//! The classes of grants: what a run may do decides how it's confined.

use confine::Needs;
use policy::{Call, ReachKey};
use wasmvark_tests::grant::Grant;

use crate::scene::OWN_SECRET;

/// A class of grants, with the command of the run.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) command: &'static str,
    pub(crate) grant: fn() -> Grant,
    /// The ways out that the grant needs.
    pub(crate) ways: &'static [Way],
}

/// A way out of the process that some grants need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The run's own files: its journal.
    Journal,
    /// Kernel settings of the network.
    Settings,
    /// Netlink's family of firewalls.
    Netfilter,
    /// Netlink's generic family.
    Generic,
    /// Sockets for announcements.
    Packets,
    /// The device for taps.
    Taps,
    /// A secret of the operator.
    Secret,
}

use Way::{Generic, Journal, Netfilter, Packets, Secret, Settings, Taps};

const ALL: &[Way] = &[Journal, Settings, Netfilter, Generic, Packets, Taps, Secret];

/// All classes.
pub(crate) const CLASSES: &[Class] = &[
    Class {
        name: "create/smallest",
        command: "create",
        grant: nothing,
        ways: &[],
    },
    Class {
        name: "create/widest",
        command: "create",
        grant: everything,
        ways: &[],
    },
    Class {
        name: "setup/smallest",
        command: "setup",
        grant: one_call,
        ways: &[Journal],
    },
    Class {
        name: "setup/links",
        command: "setup",
        grant: links,
        ways: &[Journal, Settings],
    },
    Class {
        name: "setup/firewall",
        command: "setup",
        grant: || links().call("firewall.masquerade", "{}"),
        ways: &[Journal, Settings, Netfilter],
    },
    Class {
        name: "setup/offloads",
        command: "setup",
        grant: || links().call("offloads.set", "{}"),
        ways: &[Journal, Settings, Generic],
    },
    Class {
        name: "setup/announce",
        command: "setup",
        grant: || links().call("announce.gratuitous-arp", "{}"),
        ways: &[Journal, Settings, Packets],
    },
    Class {
        name: "setup/taps",
        command: "setup",
        grant: || links().call("links.create-tap", "{}"),
        ways: &[Journal, Settings, Taps],
    },
    Class {
        name: "setup/secrets",
        command: "setup",
        grant: || links().call("wireguard.set-private-key", &secret()),
        ways: &[Journal, Settings, Generic, Secret],
    },
    Class {
        name: "setup/widest",
        command: "setup",
        grant: everything,
        ways: ALL,
    },
    Class {
        name: "teardown/smallest",
        command: "teardown",
        grant: one_call,
        ways: &[Journal],
    },
    Class {
        name: "teardown/widest",
        command: "teardown",
        grant: everything,
        ways: ALL,
    },
];

impl Class {
    /// Returns a class by its name.
    pub(crate) fn named(name: &str) -> &'static Self {
        let class = CLASSES.iter().find(|class| class.name == name);
        class.expect("there is such a class")
    }

    /// Whether the grant needs a way out.
    pub(crate) fn has(&self, way: Way) -> bool {
        self.ways.contains(&way)
    }

    /// Returns the names of the system calls that the run may make.
    pub(crate) fn allowed_calls(&self) -> Vec<&'static str> {
        confine::allowed_calls(&Needs {
            admin: self.command != "create",
            netfilter: self.has(Netfilter),
            generic: self.has(Generic),
            announce: self.has(Packets),
            taps: self.has(Taps),
            ..Needs::default()
        })
    }
}

fn nothing() -> Grant {
    Grant::nothing().strict()
}

fn one_call() -> Grant {
    nothing().call("links.get", "{}")
}

fn links() -> Grant {
    let calls = ["addresses.add", "links.create-macvlan", "routes.add"];
    let none = one_call();
    calls
        .iter()
        .fold(none, |grant, call| grant.call(call, "{}"))
}

/// Each call, with the secrets of [`OWN_SECRET`]'s name.
fn everything() -> Grant {
    Call::ALL.iter().fold(nothing(), |grant, call| {
        match call.reach_keys().contains(&ReachKey::Secret) {
            true => grant.call(call.name(), &secret()),
            false => grant.call(call.name(), "{}"),
        }
    })
}

fn secret() -> String {
    format!("{{ secret = \"{OWN_SECRET}\" }}")
}
