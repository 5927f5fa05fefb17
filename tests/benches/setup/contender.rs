//! The programs that are compared.

use std::path::Path;

use serde_json::Value;
use wasmvark_tests::cni;
use wasmvark_tests::connection::{CONTAINER_ID, Connection, INTERFACE, NETWORK};
use wasmvark_tests::places;
use wasmvark_tests::world::World;

use crate::run::{Cost, Run};

/// Something that can be done again and again.
pub(crate) trait Contender {
    /// Does it, and returns its cost.
    fn setup(&mut self) -> Cost;

    /// Takes it back, and returns the cost of that.
    fn teardown(&mut self) -> Cost {
        Cost::default()
    }
}

impl<F: FnMut() -> Cost> Contender for F {
    fn setup(&mut self) -> Cost {
        self()
    }
}

/// Two runs in a world, and commands of `ip` that put the host in order after them.
pub(crate) struct Pair<'a> {
    world: &'a World,
    setup: Run,
    teardown: Run,
    order: String,
}

impl<'a> Pair<'a> {
    /// Returns `setup` and `teardown` of a plugin, called in the same way as by netavark.
    pub(crate) fn plugin(
        world: &'a World,
        program: &Path,
        root: &Path,
        connection: &Connection,
    ) -> Self {
        let run = Run::driver(program, root).input(connection.for_plugin());
        Self::of(world, &run)
    }

    /// Returns `setup` and `teardown` of netavark, as its authors release it. It has the
    /// firewall driver that it has by default.
    pub(crate) fn netavark(world: &'a World, root: &Path, connection: &Connection) -> Self {
        let run = Run::driver(places::fast_tool("netavark"), root)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .arg("--config")
            .arg(world.directory())
            .args(&["--rootless=false", "--firewall-driver=nftables"])
            .arg("--plugin-directory")
            .arg(root.join("plugins"))
            .input(connection.for_netavark_as(NETWORK));
        Self::of(world, &run)
    }

    fn of(world: &'a World, run: &Run) -> Self {
        let [setup, teardown] =
            ["setup", "teardown"].map(|verb| run.clone().arg(verb).arg(world.container.path()));
        Self {
            world,
            setup,
            teardown,
            order: String::new(),
        }
    }

    /// Sets the commands of `ip` that run after each `teardown`.
    pub(crate) fn then(self, commands: &str) -> Self {
        let order = commands.to_owned();
        Self { order, ..self }
    }
}

impl Contender for Pair<'_> {
    fn setup(&mut self) -> Cost {
        self.setup.time(&self.world.host)
    }

    fn teardown(&mut self) -> Cost {
        let time = self.teardown.time(&self.world.host);
        if !self.order.is_empty() {
            self.world.host.ip_batch(&[], &self.order);
        }
        time
    }
}

/// CNI's plugins, one after the other, in the same way as by CNI's library.
pub(crate) struct Cni<'a> {
    world: &'a World,
    configurations: Vec<Value>,
    result: Value,
    /// The link that the plugins leave on the host.
    left: Option<&'static str>,
}

impl<'a> Cni<'a> {
    /// Returns the plugins of a document.
    pub(crate) fn new(world: &'a World, document: &Value, ports: &[Value]) -> Self {
        Self {
            world,
            configurations: cni::configurations(world, document, ports),
            result: Value::Null,
            left: None,
        }
    }

    /// Has a link removed after each `DEL`, because the plugins keep it.
    pub(crate) fn leaving(self, link: &'static str) -> Self {
        let left = Some(link);
        Self { left, ..self }
    }

    fn run(&self, command: &str, configuration: &Value) -> (Cost, String) {
        let input = cni::with_result(configuration, &self.result);
        let kind = configuration["type"].as_str().expect("a plugin has a type");
        Run::of(cni::plugin(kind))
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("CNI_COMMAND", command)
            .env("CNI_CONTAINERID", CONTAINER_ID)
            .env("CNI_NETNS", self.world.container.path())
            .env("CNI_IFNAME", INTERFACE)
            .env("CNI_PATH", cni::plugin(""))
            .input(input.to_string())
            .time_and_read(&self.world.host)
    }
}

impl Contender for Cni<'_> {
    fn setup(&mut self) -> Cost {
        self.result = Value::Null;
        let configurations = self.configurations.clone();
        let add = |configuration: &Value| {
            let (cost, answer) = self.run("ADD", configuration);
            self.result = serde_json::from_str(&answer).expect("the answer is JSON");
            cost
        };
        configurations.iter().map(add).sum()
    }

    fn teardown(&mut self) -> Cost {
        let plugins = self.configurations.iter().rev();
        let sum = plugins
            .map(|configuration| self.run("DEL", configuration).0)
            .sum();
        if let Some(link) = self.left {
            self.world.host.ip(&format!("link del {link}"));
        }
        sum
    }
}
