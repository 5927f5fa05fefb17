//! CNI's own plugins, run in the same way as by CNI's library.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::connection::{CONTAINER_ID, INTERFACE};
use crate::netns::Netns;
use crate::process;
use crate::world::World;

/// The folder of the plugins in Debian's package `containernetworking-plugins`.
const PLUGINS: &str = "/usr/lib/cni";

/// The version of the CNI specification in all configurations.
const VERSION: &str = "1.0.0";

/// Returns the path of a plugin.
pub fn plugin(name: &str) -> PathBuf {
    Path::new(PLUGINS).join(name)
}

/// A container that is connected to a network by CNI.
#[derive(Debug)]
pub struct Attached<'a> {
    world: &'a World,
    netns: &'a Netns,
    container_id: String,
    configurations: Vec<Value>,
    result: Value,
}

impl<'a> Attached<'a> {
    /// Connects the world's container to the network of a document. `ports` is the
    /// runtime's argument for plugins that publish ports.
    #[track_caller]
    pub fn new(world: &'a World, document: &Value, ports: &[Value]) -> Self {
        Self::at(world, &world.container, CONTAINER_ID, document, ports)
    }

    /// Connects another container on the world's host.
    #[track_caller]
    pub fn at(
        world: &'a World,
        netns: &'a Netns,
        container_id: &str,
        document: &Value,
        ports: &[Value],
    ) -> Self {
        let mut attached = Self {
            world,
            netns,
            container_id: container_id.to_owned(),
            configurations: configurations(world, document, ports),
            result: Value::Null,
        };
        for configuration in &attached.configurations {
            let input = with_result(configuration, &attached.result);
            let answer = attached.run("ADD", &input);
            attached.result = serde_json::from_str(&answer)
                .unwrap_or_else(|error| panic!("no result ({error}): {answer}"));
        }
        attached
    }

    /// Returns the container's addresses, without prefix lengths.
    pub fn addresses(&self) -> Vec<String> {
        let ips = self.result["ips"].as_array().into_iter().flatten();
        ips.filter_map(|ip| ip["address"].as_str()?.split('/').next().map(str::to_owned))
            .collect()
    }

    /// Disconnects the container.
    #[track_caller]
    pub fn detach(self) {
        for configuration in self.configurations.iter().rev() {
            let input = with_result(configuration, &self.result);
            self.run("DEL", &input);
        }
    }

    #[track_caller]
    fn run(&self, command: &str, configuration: &Value) -> String {
        let kind = configuration["type"].as_str().expect("a plugin has a type");
        let mut program = self.world.host.command(plugin(kind));
        program
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("CNI_COMMAND", command)
            .env("CNI_CONTAINERID", &self.container_id)
            .env("CNI_NETNS", self.netns.path())
            .env("CNI_IFNAME", INTERFACE)
            .env("CNI_PATH", PLUGINS);
        let output = process::run(&mut program, configuration.to_string().as_bytes());
        assert_eq!(output.code, Some(0), "{kind} {command}: {output:?}");
        output.stdout
    }
}

/// Returns the configuration of each plugin: its part of the document, with the fields
/// that the library adds. The plugins keep their files in the world's folder.
pub fn configurations(world: &World, document: &Value, ports: &[Value]) -> Vec<Value> {
    let plugins = match document["plugins"].as_array() {
        Some(plugins) => plugins.clone(),
        None => vec![document.clone()],
    };
    let complete = |mut plugin: Value| {
        plugin["name"] = document["name"].clone();
        plugin["cniVersion"] = VERSION.into();
        if plugin["ipam"]["type"] == "host-local" {
            plugin["ipam"]["dataDir"] = world.file("cni").to_string_lossy().into();
        }
        if plugin["type"] == "tuning" {
            plugin["dataDir"] = world.file("tuning").to_string_lossy().into();
        }
        if plugin["capabilities"]["portMappings"] == true {
            plugin["runtimeConfig"] = json!({ "portMappings": ports });
        }
        if plugin["ipam"].is_null()
            && let Some(fields) = plugin.as_object_mut()
        {
            fields.remove("ipam");
        }
        plugin
    };
    plugins.into_iter().map(complete).collect()
}

/// Adds the result of the plugins before to a plugin's configuration.
pub fn with_result(configuration: &Value, result: &Value) -> Value {
    let mut configuration = configuration.clone();
    if !result.is_null() {
        configuration["prevResult"] = result.clone();
    }
    configuration
}
