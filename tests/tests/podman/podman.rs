//! Podman in a machine, with the kernel's state of its containers.

use std::collections::BTreeSet;

use serde_json::Value;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::Output;
use wasmvark_tests::{echo, places, poll};

use crate::machine::{Account, Machine};

/// How much of the audit trail a failure shows.
const TRAIL: usize = 12;

/// What a user has to tell Podman, once.
const USER_CONFIGURATION_FILE: &str =
    "/home/user/.config/containers/containers.conf.d/50-wasmvark.conf";
const USER_CONFIGURATION: &str = r#"
[network]
netavark_plugin_dirs = ["/home/user/.local/share/wasmvark/plugins"]
"#;

/// Podman of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Podman<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) account: Account,
}

/// A container, running or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Container<'a> {
    podman: Podman<'a>,
    pub(crate) name: &'a str,
}

impl<'a> Podman<'a> {
    /// Podman of an account, with an image `test`.
    pub(crate) fn new(machine: &'a Machine, account: Account) -> Self {
        let podman = Self { machine, account };
        if account == Account::User {
            machine.write_for_user(USER_CONFIGURATION_FILE, USER_CONFIGURATION);
        }
        podman.run("import -q /image.tar test:latest");
        podman
    }

    /// Runs a command of Podman that must succeed, and returns what it prints.
    #[track_caller]
    pub(crate) fn run(&self, command: &str) -> String {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        self.run_words(&arguments)
    }

    /// The same with words that have spaces in them.
    #[track_caller]
    pub(crate) fn run_words(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        if output.code != Some(0) {
            self.fail(arguments, &output, "it failed");
        }
        // Podman goes on after many a mistake, and tells only here.
        if output.stderr.contains("Error:") || output.stderr.contains("level=error") {
            self.fail(arguments, &output, "it told of an error");
        }
        output.stdout.trim_end().to_owned()
    }

    /// Runs a command of Podman that must fail, and returns what the user
    /// sees of it.
    #[track_caller]
    pub(crate) fn fails(&self, command: &str) -> String {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let output = self.output(&arguments);
        if output.code == Some(0) {
            self.fail(&arguments, &output, "it should have failed");
        }
        output.stderr
    }

    /// Runs a command of Podman.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let words = [&["podman"], arguments].concat();
        self.machine.run(self.account, &words)
    }

    /// Runs a command of Podman that prints JSON.
    #[track_caller]
    pub(crate) fn json(&self, command: &str) -> Value {
        let text = self.run(command);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
    }

    /// A network as Podman describes it.
    #[track_caller]
    pub(crate) fn network(&self, name: &str) -> Value {
        self.json(&format!("network inspect {name}"))[0].take()
    }

    /// A network namespace by the path that Podman knows it by. A user's are
    /// seen in that user's mount namespace only, which a process of Podman's
    /// keeps.
    #[track_caller]
    pub(crate) fn netns(&self, path: &str) -> Netns {
        let root = match self.account {
            Account::Root => String::new(),
            Account::User => {
                let pid = self.machine.read("/run/user/1000/libpod/tmp/pause.pid");
                format!("/proc/{}/root", pid.trim())
            }
        };
        Netns::open(&self.machine.path(&(root + path)))
    }

    /// Runs the program under test; it must succeed.
    #[track_caller]
    pub(crate) fn wasmvark(&self, arguments: &[&str]) -> String {
        let words = [&["wasmvark"], arguments].concat();
        let output = self.machine.run(self.account, &words);
        if output.code != Some(0) {
            self.fail(arguments, &output, "wasmvark failed");
        }
        output.stdout
    }

    /// Installs a driver with all that it asks for.
    #[track_caller]
    pub(crate) fn install(&self, guest: &str, name: &str) {
        let file = self.component(guest);
        self.wasmvark(&["install", &file, "--name", name, "--grant-requested"]);
    }

    /// Puts another component in a driver's place, with all that it asks for.
    #[track_caller]
    pub(crate) fn upgrade(&self, guest: &str, name: &str) {
        let file = self.component(guest);
        self.wasmvark(&["upgrade", name, &file, "--grant-requested"]);
    }

    /// Installs a driver anew, for which there is a grant already.
    #[track_caller]
    pub(crate) fn install_again(&self, guest: &str, name: &str) {
        let file = self.component(guest);
        self.wasmvark(&["install", &file, "--name", name]);
    }

    /// Installs a driver with a grant.
    #[track_caller]
    pub(crate) fn install_with(&self, guest: &str, name: &str, grant: &str) {
        let file = self.component(guest);
        self.machine.write("/tmp/grant.toml", grant);
        let words = [
            "install",
            &file,
            "--name",
            name,
            "--grant",
            "/tmp/grant.toml",
        ];
        self.wasmvark(&words);
    }

    /// Starts a container that stays.
    #[track_caller]
    pub(crate) fn start<'n>(&self, name: &'n str, options: &str) -> Container<'n>
    where
        'a: 'n,
    {
        self.run(&format!("run -d --name {name} {options} test sleep 1000"));
        self.container(name)
    }

    /// A container that is there.
    pub(crate) fn container<'n>(&self, name: &'n str) -> Container<'n>
    where
        'a: 'n,
    {
        Container {
            podman: *self,
            name,
        }
    }

    /// Removes a container.
    #[track_caller]
    pub(crate) fn remove(&self, name: &str) {
        self.run(&format!("rm -f -t 0 {name}"));
    }

    /// Ends all containers and networks.
    #[track_caller]
    pub(crate) fn remove_all(&self) {
        self.run("pod rm -f -a -t 0");
        self.run("rm -f -a -t 0");
        self.run("network prune -f");
    }

    /// Ends what rootless Podman keeps running between its commands.
    #[track_caller]
    pub(crate) fn end(&self) {
        if self.account == Account::User {
            self.run("system migrate");
            self.machine.wait_until_idle();
        }
    }

    /// Ends a test with all that helps to understand why.
    #[track_caller]
    fn fail(&self, arguments: &[&str], output: &Output, what: &str) -> ! {
        let trail = self.machine.read(match self.account {
            Account::Root => "/var/log/wasmvark/audit.jsonl",
            Account::User => "/home/user/.local/state/wasmvark/audit.jsonl",
        });
        let lines: Vec<&str> = trail.lines().collect();
        let last = lines[lines.len().saturating_sub(TRAIL)..].join("\n");
        panic!(
            "{}: {what}, exit code {:?}\nstdout:\n{}\nstderr:\n{}\naudit trail:\n{last}",
            arguments.join(" "),
            output.code,
            output.stdout,
            output.stderr,
        );
    }

    fn component(&self, guest: &str) -> String {
        let inside = format!("/tmp/{guest}.wasm");
        self.machine.copy(&places::guest(guest), &inside);
        inside
    }
}

impl Container<'_> {
    /// The container's network namespace.
    #[track_caller]
    pub(crate) fn netns(&self) -> Netns {
        self.podman.netns(&self.netns_path())
    }

    /// The namespace's path in the machine.
    #[track_caller]
    pub(crate) fn netns_path(&self) -> String {
        self.inspect("/NetworkSettings/SandboxKey")
            .as_str()
            .expect("a path")
            .to_owned()
    }

    /// What the kernel says about the container's network.
    #[track_caller]
    pub(crate) fn dump(&self) -> Dump {
        Dump::of(&self.netns())
    }

    /// A part of what Podman says about the container, by a JSON pointer.
    #[track_caller]
    pub(crate) fn inspect(&self, pointer: &str) -> Value {
        let all = self.podman.json(&format!("inspect {}", self.name));
        let part = all[0].pointer(pointer);
        part.unwrap_or_else(|| panic!("no {pointer} in {all:#}"))
            .clone()
    }

    /// Ends the container's process behind Podman's back, and with `monitor`
    /// Podman's monitor before it.
    #[track_caller]
    pub(crate) fn kill(&self, monitor: bool) {
        let mut pids = vec![self.inspect("/State/Pid").to_string()];
        if monitor {
            pids.insert(0, self.inspect("/State/ConmonPid").to_string());
        }
        let mut words = vec!["kill", "-KILL"];
        words.extend(pids.iter().map(String::as_str));
        let output = self.machine().run(Account::Root, &words);
        assert_eq!(output.code, Some(0), "{output:?}");
        let living = |pid: &String| self.machine().path(&format!("/proc/{pid}")).exists();
        let gone = poll::until(|| !pids.iter().any(living), |gone| *gone);
        assert!(gone, "{pids:?} have ended");
    }

    /// Runs a shell's line inside; it must succeed.
    #[track_caller]
    pub(crate) fn sh(&self, line: &str) -> String {
        self.podman
            .run_words(&["exec", self.name, "sh", "-c", line])
    }

    /// Checks that what Podman tells of a network is what the kernel has:
    /// exactly the addresses of the link, and its MAC address. Returns the
    /// state of the namespace.
    #[track_caller]
    pub(crate) fn assert_inspect_is_true(&self, network: &str, link: &str) -> Dump {
        let dump = self.dump();
        let told = self.inspect(&format!("/NetworkSettings/Networks/{network}"));
        assert_eq!(told["MacAddress"], dump.mac(link), "MAC address: {told:#}");
        assert_eq!(
            told_addresses(&told),
            dump.cidrs(link).into_iter().collect(),
            "addresses: {told:#}"
        );
        dump
    }

    /// Checks that the container's own names are in its hosts file with all
    /// of its addresses on a link.
    #[track_caller]
    pub(crate) fn assert_hosts_have(&self, dump: &Dump, link: &str) {
        let hosts = self.sh("cat /etc/hosts");
        let id = self.inspect("/Id");
        let id = &id.as_str().expect("an id")[..12];
        for cidr in dump.cidrs(link) {
            let address = cidr.split('/').next().expect("an address");
            let line = hosts
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>())
                .find(|words| words.first() == Some(&address));
            let line = line.unwrap_or_else(|| panic!("{address} is not in /etc/hosts:\n{hosts}"));
            assert!(line.contains(&self.name) && line.contains(&id), "{line:?}");
        }
    }

    /// Exchanges packets between an address of the container and one of the
    /// neighbour, from both sides.
    #[track_caller]
    pub(crate) fn reaches(&self, own: &str, neighbours: &str) {
        let netns = self.netns();
        wait_for_addresses(&netns);
        let (container, neighbour) = ((&netns, own), (&self.machine().neighbour, neighbours));
        echo::exchange(container, neighbour);
        echo::exchange(neighbour, container);
    }

    /// Waits until no address is tentative any more.
    #[track_caller]
    pub(crate) fn wait_for_addresses(&self) {
        wait_for_addresses(&self.netns());
    }

    /// The machine that it's on.
    pub(crate) fn machine(&self) -> &Machine {
        self.podman.machine
    }
}

#[track_caller]
fn wait_for_addresses(netns: &Netns) {
    let tentative = poll::until(
        || netns.ip_batch(&["-o"], "addr show tentative"),
        String::is_empty,
    );
    assert!(tentative.is_empty(), "still tentative: {tentative}");
}

/// The addresses with their prefix lengths in what `podman inspect` says.
fn told_addresses(told: &Value) -> BTreeSet<String> {
    let mut addresses = BTreeSet::new();
    let mut add = |address: &Value, length: &Value| {
        if let Some(address) = address.as_str().filter(|address| !address.is_empty()) {
            addresses.insert(format!("{address}/{length}"));
        }
    };
    add(&told["IPAddress"], &told["IPPrefixLen"]);
    add(&told["GlobalIPv6Address"], &told["GlobalIPv6PrefixLen"]);
    for key in ["SecondaryIPAddresses", "SecondaryIPv6Addresses"] {
        for one in told[key].as_array().into_iter().flatten() {
            add(&one["Addr"], &one["PrefixLength"]);
        }
    }
    addresses
}
