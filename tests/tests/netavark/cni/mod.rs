//! The comparison of CNI's plugins with the result of `wasmvark convert`. Each sets up
//! a container by the same configuration. The kernel's state and the paths of packets
//! must be the same.
//!
//! Debian has version 1.1.1 of the plugins, without `dummy` and `tap`. These two are
//! compared only if they are installed.

mod behaviour;
mod cases;
mod compare;
mod converted;
mod documented;
mod meant;

use serde_json::Value;
use wasmvark_tests::cni::{self, Attached};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

use compare::{Meant, Seen, differences, matches};
use converted::Converted;

/// A configuration, and in what the networks differ on purpose.
pub(crate) struct Case {
    pub(crate) name: String,
    /// What the kernel must have besides.
    pub(crate) needs: Vec<Need>,
    pub(crate) document: Value,
    /// What both hosts have before.
    pub(crate) lay: fn(&World),
    /// Each of these differences is there.
    pub(crate) meant: Vec<&'static [Meant]>,
    /// What CNI leaves changed in the container.
    pub(crate) leaves: &'static [&'static str],
}

pub(crate) fn register(suite: &mut Suite) {
    for case in cases::all() {
        let plugins = case.plugins();
        // Not every version has all of them.
        if !plugins
            .iter()
            .all(|name| cni::plugin(name).exists() || is_in_debian(name))
        {
            continue;
        }
        let mut needs = vec![Need::Root, Need::Netavark, Need::Cni];
        needs.extend(&case.needs);
        // The machine at hand tries the others, so the virtual one needs not.
        let title = match case.needs.iter().any(|need| matches!(need, Need::Link(_))) {
            true => "as CNI's of a full kernel",
            false => "as CNI's",
        };
        let name = format!("{}/{title}: {}", plugins[0], case.name);
        suite.test(name, &needs, move || is_the_same(&case));
    }
    behaviour::register(suite);
}

/// Whether Debian's package has a plugin.
fn is_in_debian(name: &str) -> bool {
    !matches!(name, "dummy" | "tap")
}

impl Case {
    fn plugins(&self) -> Vec<&str> {
        let document = &self.document;
        let plugins = document["plugins"].as_array();
        let all = plugins.map_or_else(|| vec![document], |plugins| plugins.iter().collect());
        all.iter()
            .map(|one| one["type"].as_str().expect("a type"))
            .collect()
    }

    /// The differences that nobody meant.
    fn unexpected(&self, lines: &[String]) -> Vec<String> {
        let is_meant = |line: &String| {
            let mut meant = self.meant.iter().copied().flatten();
            meant.any(|(pattern, _)| matches(pattern, line))
        };
        lines
            .iter()
            .filter(|line| !is_meant(line))
            .cloned()
            .collect()
    }

    /// MAC addresses that are asked for.
    fn macs(&self) -> Vec<&str> {
        let plugins = self.document["plugins"].as_array().into_iter().flatten();
        plugins
            .filter_map(|plugin| plugin["mac"].as_str())
            .collect()
    }
}

fn is_the_same(case: &Case) {
    let (their_world, our_world) = (World::forwarding(), World::forwarding());
    for world in [&their_world, &our_world] {
        (case.lay)(world);
    }
    let (their_before, our_before) = (their_world.dump(), our_world.dump());
    let attached = Attached::new(&their_world, &case.document, &[]);
    let converted = Converted::new(&our_world, &case.document);
    let addresses = attached.addresses();
    let connection = addresses
        .iter()
        .fold(converted.connection.clone(), |connection, address| {
            connection.ip(address)
        });
    let netavark = converted.netavark();
    let setup = netavark.setup(&connection);
    setup.unwrap_or_else(|error| panic!("setup: {error}"));
    let macs = case.macs();
    let compare = || {
        let theirs = Seen::new(&their_world.dump(), &their_before, &macs);
        let ours = Seen::new(&our_world.dump(), &our_before, &macs);
        differences(&theirs, &ours)
    };
    // The kernel finishes some of it later: carriers, IPv6 addresses.
    let lines = poll::until(compare, |lines| case.unexpected(lines).is_empty());
    let unexpected = case.unexpected(&lines);
    assert!(
        unexpected.is_empty(),
        "CNI's (-) and ours (+) differ:\n{}",
        unexpected.join("\n")
    );
    for (pattern, reason) in case.meant.iter().copied().flatten() {
        assert!(
            lines.iter().any(|line| matches(pattern, line)),
            "they don't differ any more in {pattern:?} ({reason})"
        );
    }
    attached.detach();
    if let Err(error) = netavark.teardown(&connection) {
        panic!("teardown: {error}");
    }
    our_world.assert_unchanged(&our_before);
    // On the host CNI leaves bridges and chains of iptables.
    let left = || {
        let now = Dump::of(&their_world.container);
        let left = their_before.container.differences(&now);
        let lines = left.lines().filter(|line| !case.leaves.contains(line));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let left = poll::until(left, Vec::is_empty);
    assert!(
        left.is_empty(),
        "CNI leaves in its container:\n{}",
        left.join("\n")
    );
}
