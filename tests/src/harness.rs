//! Suites of tests with needs. A test is counted as ignored if the machine doesn't meet
//! its needs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::{Command, exit};
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Trial};
use nix::unistd::Uid;

use crate::browser::CHROMIUM;
use crate::cni;
use crate::kind::Kind;
use crate::netns::Netns;
use crate::nic::Nic;
use crate::places;
use crate::process;
use crate::proofs::{Column, Proofs};
use crate::settings;
use crate::sriov;
use crate::threat_model;

/// A requirement of a test beyond the program and its drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The right to make namespaces.
    Root,
    /// Links of the kinds `macvlan` and `veth`.
    Macvlan,
    /// Links of a kind that many kernels lack.
    Link(Kind),
    /// A network card that the tests may use.
    Nic,
    /// A network card with SR-IOV that the tests may use.
    Vfs,
    /// The real netavark.
    Netavark,
    /// aardvark-dns.
    AardvarkDns,
    /// The DHCP server dnsmasq.
    Dnsmasq,
    /// `strace`, and the right to use it.
    Strace,
    /// The tool `wg`.
    WireguardTools,
    /// A version of `ip` that shows the broadcast limit of macvlan links.
    RecentIp,
    /// The tool `nft`.
    Nft,
    /// The tool `groff`, which formats manual pages.
    Groff,
    /// CNI's plugins.
    Cni,
    /// The program of systemd's journal.
    Journald,
    /// The builder of this project.
    Cargo,
    /// A browser.
    Chromium,
    /// Python's validator of JSON Schema.
    JsonSchema,
    /// Unpacked Debian systems with Podman.
    PodmanTrees,
    /// A file in each of these systems, by its path without the first `/`.
    InPodmanTrees(&'static str),
    /// The Debian package of the program and its drivers.
    Package,
    /// A kernel that confines runs in full: Landlock, and filters of system calls.
    Confinement,
    /// The source of a crate with its version, as cargo fetched it.
    CrateSource(&'static str),
    /// A compiler of another language, by its program's name.
    Compiler(&'static str),
    /// Node.js with its package manager.
    Npm,
    /// Python with its environments.
    PythonVenv,
    /// The right of each user to make namespaces.
    UserNamespaces,
}

/// The tests of one test binary.
#[derive(Debug)]
pub struct Suite {
    trials: Vec<Trial>,
    /// The names of tests that can't run here, with the reasons.
    skipped: Vec<(String, Cow<'static, str>)>,
    share: Share,
    /// The number of added tests, including those of other shares.
    count: usize,
    /// The names of all added tests.
    names: BTreeSet<String>,
    proofs: Proofs,
}

/// An added test.
#[derive(Debug)]
pub struct Added {
    name: String,
    column: Column,
    proofs: Proofs,
}

/// The share of the tests that run here: the tests `number`, `number + of`, and so on.
#[derive(Debug, Clone, Copy)]
struct Share {
    number: usize,
    of: usize,
}

impl Default for Suite {
    fn default() -> Self {
        Self {
            trials: Vec::new(),
            skipped: Vec::new(),
            share: Share::from_environment(),
            count: 0,
            names: BTreeSet::new(),
            proofs: Proofs::default(),
        }
    }
}

impl Suite {
    /// Adds a test. Spaces in its name become dashes. It runs in a thread of its own,
    /// in parallel to others, and fails by a panic.
    pub fn test(
        &mut self,
        name: impl Into<String>,
        needs: &[Need],
        test: impl FnOnce() + Send + 'static,
    ) -> Added {
        let name = name.into().replace(' ', "-");
        self.names.insert(name.clone());
        if is_within(&name) && is_wanted(needs) {
            self.count += 1;
            if self.share.has(self.count) {
                self.add(name.clone(), needs, test);
            }
        }
        Added {
            name,
            column: Column::of(needs),
            proofs: self.proofs.clone(),
        }
    }

    /// Adds a test that the suite has all of its tests that `docs/threat-model.md`
    /// names. It must be added last.
    pub fn has_its_rows(&mut self, suite: &'static str) {
        let names = self.names.clone();
        self.test("threat-model::tests-are-there", &[], move || {
            threat_model::check_suite(suite, &names);
        });
    }

    /// Returns the proofs of all tests, including those of other shares and those that
    /// are added later.
    pub fn proofs(&self) -> Proofs {
        self.proofs.clone()
    }

    fn add(&mut self, name: String, needs: &[Need], test: impl FnOnce() + Send + 'static) {
        let trial = match needs.iter().find_map(|need| need.missing()) {
            None => Trial::test(name, move || {
                test();
                Ok(())
            }),
            Some(reason) if may_skip() || needs.iter().any(Need::is_beyond_machine) => {
                self.skipped.push((name.clone(), reason));
                Trial::test(name, || Ok(())).with_ignored_flag(true)
            }
            Some(reason) => Trial::test(name, move || Err(reason.into_owned().into())),
        };
        self.trials.push(trial);
    }

    /// Runs the tests that the command line selects, and ends the process.
    pub fn run(self) -> ! {
        self.run_then(|| {})
    }

    /// Runs the tests that the command line selects, calls `say`, and ends the process.
    pub fn run_then(self, say: impl FnOnce()) -> ! {
        settings::allow_files();
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert_with(threads);
        let filter = arguments.filter.as_deref().unwrap_or_default();
        let skipped = self
            .skipped
            .iter()
            .filter(|(name, _)| name.contains(filter));
        for (name, reason) in skipped.filter(|_| !arguments.list) {
            println!("skipped {name}: {reason}");
        }
        let conclusion = libtest_mimic::run(&arguments, self.trials);
        say();
        exit(if conclusion.has_failed() { 101 } else { 0 });
    }
}

impl Added {
    /// Notes that the test shows the effect of a driver's options, for
    /// `docs/options.md`. `driver` is the driver's folder in `guest-examples/`, and the
    /// options are those of its manifest.
    pub fn proves(self, driver: &str, options: &[&str]) -> Self {
        for option in options {
            self.proofs.add(self.column, driver, option, &self.name);
        }
        self
    }

    /// Sets another name of the test for `docs/options.md`.
    pub fn shown_as(self, name: &str) -> Self {
        let name = name.replace(' ', "-");
        Self { name, ..self }
    }
}

/// Whether a test's name contains `WASMVARK_TEST_WITHIN`, if that is set.
fn is_within(name: &str) -> bool {
    env::var("WASMVARK_TEST_WITHIN").map_or(true, |part| name.contains(&part))
}

/// Whether a test is wanted. With `WASMVARK_TEST_RARE=only`, it must need a feature
/// that few kernels have.
fn is_wanted(needs: &[Need]) -> bool {
    let only = env::var_os("WASMVARK_TEST_RARE").is_some_and(|which| which == "only");
    !only || needs.iter().any(Need::is_rare)
}

impl Share {
    /// Reads `WASMVARK_TEST_SHARE`. `1/2` is the first of two shares.
    fn from_environment() -> Self {
        let Ok(share) = env::var("WASMVARK_TEST_SHARE") else {
            return Self { number: 1, of: 1 };
        };
        let numbers = share.split_once('/').and_then(|(number, of)| {
            let (number, of) = (number.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&number).then_some(Self { number, of })
        });
        numbers.unwrap_or_else(|| panic!("WASMVARK_TEST_SHARE={share} is no share"))
    }

    fn has(self, test: usize) -> bool {
        test % self.of == self.number % self.of
    }
}

impl Need {
    /// Whether few kernels or systems meet this need.
    pub(crate) fn is_rare(&self) -> bool {
        matches!(self, Self::Link(_) | Self::Nic | Self::Vfs | Self::RecentIp)
    }

    /// Whether the need is a program that has nothing to do with networks, or a card that
    /// only one machine has. The virtual machine, which is there for its kernel, doesn't
    /// have such programs.
    fn is_beyond_machine(&self) -> bool {
        matches!(
            self,
            Self::Vfs
                | Self::Cargo
                | Self::Chromium
                | Self::Journald
                | Self::JsonSchema
                | Self::CrateSource(_)
                | Self::Compiler(_)
                | Self::Npm
                | Self::PythonVenv
        )
    }

    /// Returns the reason why the need isn't met.
    pub fn missing(self) -> Option<Cow<'static, str>> {
        static GAP: OnceLock<Option<String>> = OnceLock::new();
        static CARGO: OnceLock<bool> = OnceLock::new();
        static MACVLAN: OnceLock<bool> = OnceLock::new();
        static NETAVARK: OnceLock<bool> = OnceLock::new();
        static STRACE: OnceLock<bool> = OnceLock::new();
        static GROFF: OnceLock<bool> = OnceLock::new();
        static WG: OnceLock<bool> = OnceLock::new();
        static RECENT: OnceLock<bool> = OnceLock::new();
        static SCHEMA: OnceLock<bool> = OnceLock::new();
        static NPM: OnceLock<bool> = OnceLock::new();
        static USERS: OnceLock<bool> = OnceLock::new();
        static VENV: OnceLock<bool> = OnceLock::new();
        let root = Uid::effective().is_root();
        match self {
            _ if !root => Some("it needs root".into()),
            Self::Macvlan if !*MACVLAN.get_or_init(kernel_has_macvlan) => {
                Some("this kernel has no veth or no macvlan; `just test-vm` runs it".into())
            }
            Self::Link(kind) if !kind.is_there() => {
                let kind = kind.title();
                Some(format!("this kernel has no {kind}; `just test-vm` runs it").into())
            }
            Self::Nic if !Nic::is_there() => {
                Some("no network card is set aside for it; `just test-vm` runs it".into())
            }
            Self::Vfs if !sriov::is_there() => Some(
                "no network card with SR-IOV is set aside for it; `just test-sriov` runs it".into(),
            ),
            Self::Netavark if !*NETAVARK.get_or_init(|| places::tool("netavark").exists()) => {
                Some("netavark is not installed; `just setup` does it".into())
            }
            Self::Dnsmasq if !Path::new(places::DNSMASQ).exists() => {
                Some("dnsmasq is not installed; `just setup` does it".into())
            }
            Self::AardvarkDns if places::aardvark_dns().is_none() => {
                Some("aardvark-dns is not installed; `just setup` does it".into())
            }
            Self::Strace if !*STRACE.get_or_init(strace_works) => {
                Some("strace can't be used; `just setup` installs it".into())
            }
            Self::WireguardTools if !WG.get_or_init(wg_works) => {
                Some("wg can't be used; `just test-vm` has it".into())
            }
            Self::RecentIp if !*RECENT.get_or_init(ip_is_recent) => {
                Some("ip doesn't show bclim; `just test-vm` has one that does".into())
            }
            Self::Nft if !Path::new(places::NFT).exists() => {
                Some("nft is not installed; `just setup` does it".into())
            }
            Self::Groff if !*GROFF.get_or_init(groff_works) => {
                Some("groff is not installed; `just setup` does it".into())
            }
            Self::Cni if !cni::plugin("bridge").exists() => {
                Some("CNI's plugins are not installed; `just setup` does it".into())
            }
            Self::Journald if !Path::new(places::JOURNALD).exists() => {
                Some("systemd is not installed".into())
            }
            Self::Cargo if !*CARGO.get_or_init(cargo_works) => {
                Some("cargo is not installed: https://rustup.rs".into())
            }
            Self::Chromium if !Path::new(CHROMIUM).exists() => {
                Some("Chromium is not installed; `just setup` does it".into())
            }
            Self::JsonSchema if !*SCHEMA.get_or_init(has_json_schema) => {
                Some("Python's jsonschema is not installed; `just setup` does it".into())
            }
            Self::PodmanTrees if !places::cache().join("podman").is_dir() => {
                Some("no Podman system is unpacked; `just test-podman` does it".into())
            }
            Self::InPodmanTrees(file) if !places::podman_trees_have(file) => {
                Some(format!("a Podman system has no {file}; `just test-podman` adds it").into())
            }
            Self::Package if places::package().is_none() => {
                Some("there is no Debian package; `just package` makes it".into())
            }
            Self::Confinement if GAP.get_or_init(first_gap).is_some() => {
                GAP.get().cloned().flatten().map(Into::into)
            }
            Self::CrateSource(name) if places::crate_source(name).is_none() => {
                Some(format!("cargo hasn't fetched {name}").into())
            }
            Self::Compiler(name) if !places::compiler(name).exists() => {
                Some(format!("{name} is not installed; `just setup` does it").into())
            }
            Self::Npm if !*NPM.get_or_init(|| works("npm", &["--version"])) => {
                Some("npm is not installed; `just setup` does it".into())
            }
            Self::PythonVenv
                if !*VENV.get_or_init(|| works("python3", &["-c", "import ensurepip"])) =>
            {
                Some("Python can't make environments; `just setup` makes it".into())
            }
            Self::UserNamespaces if !*USERS.get_or_init(nobody_makes_namespaces) => {
                Some("users may not make namespaces here".into())
            }
            Self::Root
            | Self::Macvlan
            | Self::Link(_)
            | Self::Nic
            | Self::Vfs
            | Self::Netavark
            | Self::AardvarkDns
            | Self::Dnsmasq
            | Self::Strace
            | Self::WireguardTools
            | Self::RecentIp
            | Self::Nft
            | Self::Groff
            | Self::Cni
            | Self::Journald
            | Self::Cargo
            | Self::Chromium
            | Self::JsonSchema
            | Self::PodmanTrees
            | Self::InPodmanTrees(_)
            | Self::Package
            | Self::Confinement
            | Self::CrateSource(_)
            | Self::Compiler(_)
            | Self::Npm
            | Self::PythonVenv
            | Self::UserNamespaces => None,
        }
    }
}

/// Returns what this kernel can't confine.
fn first_gap() -> Option<String> {
    confine::gaps().first().map(ToString::to_string)
}

fn has_json_schema() -> bool {
    let mut python = Command::new(places::PYTHON);
    let import = python.args(["-c", "import jsonschema"]).output();
    import.is_ok_and(|output| output.status.success())
}

fn cargo_works() -> bool {
    Command::new(places::cargo())
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn wg_works() -> bool {
    Command::new("wg").arg("--version").output().is_ok()
}

fn groff_works() -> bool {
    works("groff", &["--version"])
}

fn nobody_makes_namespaces() -> bool {
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let unshare = ["unshare", "--user", "--net", "--mount", "true"];
    works("setpriv", &[&nobody[..], &unshare[..]].concat())
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

fn ip_is_recent() -> bool {
    let help = process::run(Command::new("ip").args(["link", "help", "macvlan"]), b"");
    (help.stdout + &help.stderr).contains("bclim")
}

fn strace_works() -> bool {
    let true_under_it = Command::new("strace")
        .args(["--output=/dev/null", "true"])
        .status();
    true_under_it.is_ok_and(|status| status.success())
}

/// Whether a test whose needs aren't met is skipped. With `WASMVARK_TEST_SKIP=never` it
/// fails.
fn may_skip() -> bool {
    env::var_os("WASMVARK_TEST_SKIP").is_none_or(|skip| skip != "never")
}

fn kernel_has_macvlan() -> bool {
    let netns = Netns::new();
    let can = |arguments: &str| {
        let mut ip = netns.command("ip");
        process::run(ip.args(arguments.split_whitespace()), b"").code == Some(0)
    };
    can("link add v0 type veth peer name v1") && can("link add m0 link v0 type macvlan")
}

/// Returns the number of tests at once, unless the command line says it. Much of a
/// test's time is waiting for the kernel, which removes links and namespaces in its own
/// time.
fn threads() -> usize {
    const FOR_EACH_PROCESSOR: usize = 2;
    let processors = std::thread::available_parallelism();
    processors.map_or(1, usize::from) * FOR_EACH_PROCESSOR
}
