//! A Debian system with Podman that runs in namespaces of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wasmvark_tests::dump::Dump;
use wasmvark_tests::executable;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::{places, poll, wire};

use crate::edition::{BUILT_NETAVARK, Edition};

const BOOT: &str = include_str!("boot.sh");

/// Podman's default networks must not meet those of the tests. Groups of
/// processes aren't to be seen on the machine that runs the tests.
const CONFIGURATION: &str = r#"
[containers]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
[network]
default_subnet = "10.77.0.0/16"
default_subnet_pools = [{"base" = "10.78.0.0/16", "size" = 24}]
"#;

/// The name server that the machine uses, if there were one.
pub(crate) const NAME_SERVER: &str = "192.0.2.53";

/// How long programs may take that are slow to start and to end.
pub(crate) const SLOW: Duration = Duration::from_secs(60);

/// A running machine. All of it vanishes when this is dropped, and also when
/// the tests are killed: it runs until its standard input ends.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) edition: Edition,
    /// `unshare`, which waits for the machine's init.
    unshare: Child,
    /// The machine's init.
    init: u32,
    /// The machine's own network.
    pub(crate) host: Netns,
    /// What is at the other end of the machine's wire.
    pub(crate) neighbour: Netns,
}

/// Who runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Root,
    /// An ordinary user.
    User,
}

/// A program that goes on in a machine.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    machine: &'a Machine,
    /// Its process id in the machine.
    pid: String,
    /// The file of what it prints.
    log: &'static str,
}

/// What must be the same after a test as before.
#[derive(Debug)]
pub(crate) struct Before {
    host: Dump,
    rest: BTreeSet<String>,
}

impl Machine {
    /// Starts a machine with the program under test, without drivers, on a
    /// wire to a neighbour.
    pub(crate) fn boot(edition: Edition) -> Self {
        let machine = Self::boot_clean(edition);
        machine.copy(&places::wasmvark(), "/usr/local/bin/wasmvark");
        machine
    }

    /// Starts a machine without anything of this project.
    pub(crate) fn boot_clean(edition: Edition) -> Self {
        let (unshare, init) = start(edition);
        let machine = Self {
            edition,
            unshare,
            init,
            host: Netns::open(format!("/proc/{init}/ns/net").as_ref()),
            neighbour: Netns::new(),
        };
        machine.furnish();
        wire::lay(&machine.host, &machine.neighbour);
        machine
    }

    /// The process id of the machine's init.
    pub(crate) fn init(&self) -> u32 {
        self.init
    }

    /// A path in the machine, as it is outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.init));
        root.join(inside.trim_start_matches('/'))
    }

    /// Writes a file in the machine.
    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a folder can be made");
        }
        fs::write(&path, text).unwrap_or_else(|error| panic!("can't write {inside}: {error}"));
    }

    /// Writes a file in the user's home; the user owns it and its folders.
    pub(crate) fn write_for_user(&self, inside: &str, text: &str) {
        self.write("/tmp/for-user", text);
        let words = ["install", "-D", "/tmp/for-user", inside];
        let output = self.run(Account::User, &words);
        assert_eq!(output.code, Some(0), "{output:?}");
    }

    /// The text of a file in the machine; empty where there is none.
    pub(crate) fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap_or_default()
    }

    /// Runs a command in the machine to its end.
    pub(crate) fn run(&self, account: Account, arguments: &[&str]) -> Output {
        let mut nsenter = Command::new("nsenter");
        nsenter
            .arg(format!("--target={}", self.init))
            .args(["--mount", "--pid", "--net", "--uts", "--ipc", "--"])
            .args(account.enter())
            .args(arguments);
        process::run(&mut nsenter, b"")
    }

    /// Starts a command of root's that goes on, in a network of the machine's or its
    /// neighbour's. It ends with the machine, if it isn't stopped before.
    #[track_caller]
    pub(crate) fn start(
        &self,
        place: &Netns,
        log: &'static str,
        arguments: &[&str],
    ) -> Program<'_> {
        const SCRIPT: &str = r#"log=$1; shift; "$@" >"$log" 2>&1 & echo $!"#;
        let mut nsenter = Command::new("nsenter");
        nsenter
            .arg(format!("--target={}", self.init))
            .arg(format!("--net={}", place.path().display()))
            .args(["--mount", "--pid", "--uts", "--ipc", "--"])
            .args(Account::Root.enter())
            .args(["bash", "-c", SCRIPT, "bash", log])
            .args(arguments);
        let output = process::run(&mut nsenter, b"");
        assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
        Program {
            machine: self,
            pid: output.stdout.trim().to_owned(),
            log,
        }
    }

    /// What must be the same after a test.
    pub(crate) fn before(&self) -> Before {
        Before {
            host: self.network(),
            rest: self.rest(),
        }
    }

    /// The network of the machine, but for the nft table that netavark leaves
    /// behind when a container was on one of its own bridges.
    fn network(&self) -> Dump {
        Dump::of(&self.host).without_table("netavark")
    }

    /// Checks that nothing was left: no link, address or route on the host,
    /// no process, no mount, no namespace, nothing in the journal.
    pub(crate) fn assert_nothing_left(&self, before: &Before) {
        let now = poll::until(|| self.network(), |now| *now == before.host);
        let differences = before.host.differences(&now);
        assert!(
            differences.is_empty(),
            "the machine's network changed:\n{differences}"
        );
        let rest = poll::until(|| self.rest(), |rest| *rest == before.rest);
        let new: Vec<_> = rest.difference(&before.rest).collect();
        let gone: Vec<_> = before.rest.difference(&rest).collect();
        assert!(
            new.is_empty() && gone.is_empty(),
            "left: {new:#?}\ngone: {gone:#?}"
        );
    }

    /// Waits until the last process has ended.
    pub(crate) fn wait_until_idle(&self) {
        let left = poll::until(|| self.processes(), BTreeSet::is_empty);
        assert!(left.is_empty(), "still running: {left:#?}");
    }

    /// Processes, mounts, named namespaces and journals.
    fn rest(&self) -> BTreeSet<String> {
        let mut rest = self.processes();
        let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", self.init))
            .expect("the machine's mounts can be read");
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        // Podman makes this one once, for all of its namespaces.
        rest.extend(
            points
                .filter(|point| *point != "/run/netns")
                .map(|point| format!("mount {point}")),
        );
        let folders = [
            "/run/netns",
            "/run/wasmvark/journal",
            "/run/user/1000/netns",
            "/run/user/1000/wasmvark/journal",
        ];
        for folder in folders {
            rest.extend(
                self.list(folder)
                    .iter()
                    .map(|name| format!("{folder}/{name}")),
            );
        }
        rest
    }

    /// The processes that run in the machine, apart from its init and those
    /// that are ending.
    pub(crate) fn processes(&self) -> BTreeSet<String> {
        let ids = self.list("/proc").into_iter();
        ids.filter(|name| name.parse().is_ok_and(|id: u32| id != 1))
            .map(|id| (self.read(&format!("/proc/{id}/cmdline")), id))
            .filter(|(command, _)| !command.is_empty())
            .map(|(command, id)| format!("process {id} {}", command.replace('\0', " ")))
            .collect()
    }

    /// The names in a folder of the machine; none where there is no folder.
    pub(crate) fn list(&self, inside: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(inside)).into_iter().flatten();
        entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    fn furnish(&self) {
        if self.edition.built_netavark {
            self.copy(&places::tool("netavark"), BUILT_NETAVARK);
        }
        self.write(
            "/etc/containers/containers.conf.d/tests.conf",
            CONFIGURATION,
        );
        self.write("/etc/resolv.conf", &format!("nameserver {NAME_SERVER}\n"));
        // Podman switches it on with the first bridge, for good.
        self.host.run(|| {
            fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("forwarding can be set");
        });
        self.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    }

    /// Copies a file into the machine.
    pub(crate) fn copy(&self, from: &Path, inside: &str) {
        let to = self.path(inside);
        fs::create_dir_all(to.parent().expect("a file is in a folder"))
            .expect("a folder can be made");
        executable::copy(from, &to);
    }
}

impl Program<'_> {
    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        self.machine.read(self.log)
    }

    /// Whether it runs.
    pub(crate) fn runs(&self) -> bool {
        // One that has ended and that nobody has waited for has no command line.
        let command = self.machine.read(&format!("/proc/{}/cmdline", self.pid));
        !command.is_empty()
    }

    /// Ends it, and waits for that.
    #[track_caller]
    pub(crate) fn stop(self) {
        let output = self.machine.run(Account::Root, &["kill", &self.pid]);
        assert_eq!(output.code, Some(0), "{}: {output:?}", self.log());
        self.assert_ends();
    }

    /// Checks that it ends.
    #[track_caller]
    pub(crate) fn assert_ends(&self) {
        let runs = poll::until_within(SLOW, || self.runs(), |runs| !runs);
        assert!(!runs, "it has ended: {}", self.log());
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.unshare.stdin.take());
        let _ = self.unshare.wait();
    }
}

impl Account {
    /// The words before a command that make it run in this account, with
    /// nothing of the tests' environment.
    fn enter(self) -> Vec<&'static str> {
        let mut words = vec![
            "/usr/bin/env",
            "-i",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
        ];
        match self {
            Self::Root => words.push("HOME=/root"),
            Self::User => words.extend([
                "HOME=/home/user",
                "XDG_RUNTIME_DIR=/run/user/1000",
                "setpriv",
                "--reuid=1000",
                "--regid=1000",
                "--init-groups",
            ]),
        }
        words
    }
}

/// Starts the machine's init; its process id comes with it.
fn start(edition: Edition) -> (Child, u32) {
    let mut unshare = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child", "--net"])
        .args(["--uts", "--ipc", "--propagation=private"])
        .args(["bash", "-c", BOOT, "boot"])
        .arg(edition.tree())
        .arg(places::cache().join("podman/work"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare can be run");
    let stdout = unshare.stdout.take().expect("stdout is a pipe");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("the machine can be read from");
    let init = line
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("the machine did not start: {line}"));
    (unshare, init)
}
