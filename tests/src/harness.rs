//! Tests that are counted as ignored where the machine lacks what they need.

use std::process::exit;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Trial};
use nix::unistd::Uid;

use crate::netns::Netns;
use crate::places;
use crate::process;

/// What a test needs beyond the program and its drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Namespaces, so the right to make them.
    Root,
    /// Links of the kind `macvlan`, and a wire to lay them on.
    Macvlan,
    /// The real netavark.
    Netavark,
    /// Unpacked Debian systems with Podman.
    PodmanTrees,
}

/// The tests of one test binary.
#[derive(Debug, Default)]
pub struct Suite {
    trials: Vec<Trial>,
    /// Tests that can't run here, and why.
    skipped: Vec<(String, &'static str)>,
}

impl Suite {
    /// Adds a test; spaces in its name become dashes. It runs in a thread of its own, in parallel to others,
    /// and fails by a panic.
    pub fn test(
        &mut self,
        name: impl Into<String>,
        needs: &[Need],
        test: impl FnOnce() + Send + 'static,
    ) {
        let name = name.into().replace(' ', "-");
        let missing = needs.iter().find_map(|need| need.missing());
        if let Some(reason) = missing {
            self.skipped.push((name.clone(), reason));
        }
        let trial = Trial::test(name, move || {
            test();
            Ok(())
        });
        self.trials.push(trial.with_ignored_flag(missing.is_some()));
    }

    /// Runs the tests that the command line asks for, and ends the process.
    pub fn run(self) -> ! {
        let arguments = Arguments::from_args();
        let filter = arguments.filter.as_deref().unwrap_or_default();
        let skipped = self
            .skipped
            .iter()
            .filter(|(name, _)| name.contains(filter));
        for (name, reason) in skipped.filter(|_| !arguments.list) {
            println!("skipped {name}: {reason}");
        }
        let conclusion = libtest_mimic::run(&arguments, self.trials);
        exit(if conclusion.has_failed() { 101 } else { 0 });
    }
}

impl Need {
    /// Why it isn't there.
    fn missing(self) -> Option<&'static str> {
        static MACVLAN: OnceLock<bool> = OnceLock::new();
        static NETAVARK: OnceLock<bool> = OnceLock::new();
        let root = Uid::effective().is_root();
        match self {
            _ if !root => Some("it needs root"),
            Self::Macvlan if !*MACVLAN.get_or_init(kernel_has_macvlan) => {
                Some("this kernel has no veth or no macvlan")
            }
            Self::Netavark if !*NETAVARK.get_or_init(|| places::tool("netavark").exists()) => {
                Some("netavark is not installed; `just setup` does it")
            }
            Self::PodmanTrees if !places::cache().join("podman").is_dir() => {
                Some("no Podman system is unpacked; `just test-podman` does it")
            }
            Self::Root | Self::Macvlan | Self::Netavark | Self::PodmanTrees => None,
        }
    }
}

fn kernel_has_macvlan() -> bool {
    let netns = Netns::new();
    let can = |arguments: &str| {
        let mut ip = netns.command("ip");
        process::run(ip.args(arguments.split_whitespace()), b"").code == Some(0)
    };
    can("link add v0 type veth peer name v1") && can("link add m0 link v0 type macvlan")
}
