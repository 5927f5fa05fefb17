//! The real netavark, run in the same way as by Podman.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::connection::{Connection, NETWORK};
use crate::dump::Dump;
use crate::places;
use crate::process::{self, Output};
use crate::world::World;

/// netavark in a world, with plugins from one directory.
#[derive(Debug)]
pub struct Netavark<'a> {
    world: &'a World,
    plugins: PathBuf,
    root: PathBuf,
    dns: Option<(PathBuf, u16)>,
}

/// A moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The moment before a process sends its message with this number to the kernel.
    BeforeMessage(u32),
    /// The end of a process.
    End,
}

/// The result of an attempt to kill a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// A process was killed.
    There,
    /// No process reached the moment.
    Never {
        /// The most messages that a process sent.
        messages: u32,
    },
}

/// The status block of one network in the answer of `setup`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Status {
    /// The container's interfaces.
    pub interfaces: BTreeMap<String, Interface>,
    /// DNS servers.
    pub dns_server_ips: Option<Vec<String>>,
    /// DNS search domains.
    pub dns_search_domains: Option<Vec<String>>,
}

/// One interface of the container.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Interface {
    /// The MAC address.
    pub mac_address: String,
    /// The addresses.
    pub subnets: Option<Vec<Subnet>>,
}

/// One address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Subnet {
    /// The address with its prefix length.
    pub ipnet: String,
    /// The gateway of its network.
    pub gateway: Option<String>,
}

impl<'a> Netavark<'a> {
    /// Returns netavark with the plugins of a folder. wasmvark's files are in `root`.
    pub fn new(world: &'a World, plugins: &Path, root: &Path) -> Self {
        Self {
            world,
            plugins: plugins.to_owned(),
            root: root.to_owned(),
            dns: None,
        }
    }

    /// Has netavark start a DNS server that listens on a port.
    pub fn with_dns(self, program: &Path, port: u16) -> Self {
        Self {
            dns: Some((program.to_owned(), port)),
            ..self
        }
    }

    /// Connects the world's container.
    pub fn setup(&self, connection: &Connection) -> Result<Status, String> {
        self.setup_at(connection, &self.world.container.path())
    }

    /// Connects another container.
    pub fn setup_at(&self, connection: &Connection, netns: &Path) -> Result<Status, String> {
        self.setup_as(NETWORK, connection, netns)
    }

    /// Connects another container to a network with another name.
    pub fn setup_as(
        &self,
        network: &str,
        connection: &Connection,
        netns: &Path,
    ) -> Result<Status, String> {
        if connection.names_secrets() {
            self.create_first(connection);
        }
        let output = self.run(
            ["setup".as_ref(), netns.as_os_str()],
            &connection.for_netavark_as(network),
        );
        let answer: BTreeMap<String, Status> = serde_json::from_str(&succeeded(&output)?)
            .expect("netavark's answer is a status block");
        let status = answer.into_iter().find(|(name, _)| name == network);
        Ok(status.expect("the network is in netavark's answer").1)
    }

    /// Disconnects the world's container.
    pub fn teardown(&self, connection: &Connection) -> Result<(), String> {
        self.teardown_at(connection, &self.world.container.path())
    }

    /// Disconnects another container. Its namespace may be gone.
    pub fn teardown_at(&self, connection: &Connection, netns: &Path) -> Result<(), String> {
        self.teardown_as(NETWORK, connection, netns)
    }

    /// Disconnects another container from a network with another name.
    pub fn teardown_as(
        &self,
        network: &str,
        connection: &Connection,
        netns: &Path,
    ) -> Result<(), String> {
        let output = self.run(
            ["teardown".as_ref(), netns.as_os_str()],
            &connection.for_netavark_as(network),
        );
        let answer = succeeded(&output)?;
        assert_eq!(answer, "", "teardown prints nothing");
        Ok(())
    }

    /// Makes a network, in the same way as Podman 6.
    pub fn create(&self, connection: &Connection) -> Result<Value, String> {
        let output = self.run(["create".as_ref()], &connection.for_netavark_create());
        let answer = succeeded(&output)?;
        Ok(serde_json::from_str(&answer).expect("netavark's answer is a network"))
    }

    /// Runs `setup` or `teardown`, and kills the process, netavark or the plugin, that
    /// reaches a moment.
    pub fn kill(&self, command: &str, connection: &Connection, moment: Moment) -> Killed {
        let (call, count) = match moment {
            Moment::BeforeMessage(number) => ("sendto", number),
            Moment::End => ("exit_group", 1),
        };
        let mut strace = self.world.host.command("strace");
        let log = self.world.file("strace");
        strace
            .args(["--follow-forks", "--quiet=attach,personality"])
            .arg(format!("--trace={call}"))
            .arg(format!("--inject={call}:signal=KILL:when={count}"))
            .arg("--output")
            .arg(&log)
            .arg(places::tool("netavark"));
        self.arguments(&mut strace);
        strace.arg(command).arg(self.world.container.path());
        process::run(&mut strace, connection.for_netavark().as_bytes());
        let log = std::fs::read_to_string(log).expect("strace wrote its log");
        if log.contains("killed by SIGKILL") {
            return Killed::There;
        }
        Killed::Never {
            messages: messages(&log),
        }
    }

    /// Runs the plugin's `create`, which Podman does before. Errors are ignored,
    /// because `setup` returns them too.
    fn create_first(&self, connection: &Connection) {
        let plugin = self.plugins.join(connection.driver());
        let mut plugin = self.world.host.command(plugin);
        plugin.env_clear().env("WASMVARK_ROOT", &self.root);
        process::run(plugin.arg("create"), connection.for_create().as_bytes());
    }

    fn run<const N: usize>(&self, arguments: [&OsStr; N], input: &str) -> Output {
        let mut netavark = self.world.host.command(places::tool("netavark"));
        self.arguments(&mut netavark);
        process::run(netavark.args(arguments), input.as_bytes())
    }

    fn arguments(&self, netavark: &mut Command) {
        netavark
            .env_clear()
            .env("WASMVARK_ROOT", &self.root)
            .arg("--config")
            .arg(self.world.directory())
            .args([
                "--rootless=false",
                "--firewall-driver=none",
                "--plugin-directory",
            ])
            .arg(&self.plugins);
        if let Some((program, port)) = &self.dns {
            netavark
                .env("NETAVARK_DNS_PORT", port.to_string())
                .arg("--aardvark-binary")
                .arg(program);
        }
    }
}

/// Checks a status against the kernel's state: the MAC address and the addresses of
/// each interface. Gateways must be those of the request.
#[track_caller]
pub fn assert_status_is_true(status: &Status, container: &Dump, connection: &Connection) {
    for (name, interface) in &status.interfaces {
        assert_eq!(
            interface.mac_address,
            container.mac(name),
            "MAC address of {name}"
        );
        let subnets = interface.subnets.iter().flatten();
        let mut addresses: Vec<&str> = subnets
            .clone()
            .map(|subnet| subnet.ipnet.as_str())
            .collect();
        addresses.sort_unstable();
        assert_eq!(addresses, container.cidrs(name), "addresses of {name}");
        for gateway in subnets.filter_map(|subnet| subnet.gateway.as_ref()) {
            assert!(connection.gateways().contains(gateway), "gateway {gateway}");
        }
    }
}

/// Returns the most messages that a process sent, according to strace.
fn messages(log: &str) -> u32 {
    let mut sent: BTreeMap<&str, u32> = BTreeMap::new();
    let senders = log.lines().filter(|line| line.contains(" sendto("));
    for process in senders.filter_map(|line| line.split(' ').next()) {
        *sent.entry(process).or_default() += 1;
    }
    sent.into_values().max().unwrap_or_default()
}

fn succeeded(output: &Output) -> Result<String, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Failure {
        error: String,
    }
    if output.code == Some(0) {
        return Ok(output.stdout.trim_end().to_owned());
    }
    let failure: Failure = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("no error document ({error}): {output:?}"));
    Err(failure.error)
}
