//! A document that `wasmvark convert` has converted, as the network that Podman makes
//! by the command.

use std::fs;

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::netavark::Netavark;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

/// A network that a document became, and the program that has its driver.
pub(crate) struct Converted<'a> {
    pub(crate) wasmvark: Wasmvark<'a>,
    pub(crate) connection: Connection,
}

impl<'a> Converted<'a> {
    /// Converts a document, installs the driver with the grant that it needs, and
    /// makes the network.
    pub(crate) fn new(world: &'a World, document: &Value) -> Self {
        Self::with_id(world, document, Connection::new("").network_id())
    }

    /// The same for a network with another id.
    pub(crate) fn with_id(world: &'a World, document: &Value, id: &str) -> Self {
        let wasmvark = Wasmvark::new(world);
        let file = world.file("network.conflist");
        fs::write(&file, document.to_string()).unwrap();
        let file = file.to_string_lossy().into_owned();
        let convert = || wasmvark.administer(&["convert", "--format", "json", &file]);
        let name = network(&convert())["driver"].as_str().unwrap().to_owned();
        let driver = name.trim_start_matches("wasm-").to_owned();
        wasmvark.install(&driver, &name, &Grant::example(&driver));
        // Now it knows what the grant lacks.
        let network = network(&convert());
        let grant = widened(Grant::example(&driver), &network);
        wasmvark.install(&driver, &name, &grant);
        let wish = wish(&network, &name).network("id", id);
        let connection = match wasmvark.netavark().create(&wish) {
            Ok(made) => wish.to_made(with_ipv6(made)),
            Err(error) => panic!("create: {error}: {network}"),
        };
        Self {
            wasmvark,
            connection: at_run_time(connection, &network),
        }
    }

    pub(crate) fn netavark(&self) -> Netavark<'a> {
        self.wasmvark.netavark()
    }
}

/// A network with an IPv6 subnet has IPv6 once it is made.
fn with_ipv6(mut network: Value) -> Value {
    let mut subnets = network["subnets"].as_array().into_iter().flatten();
    let is_v6 = |subnet: &Value| subnet["subnet"].as_str().is_some_and(|it| it.contains(':'));
    if subnets.any(is_v6) {
        network["ipv6_enabled"] = true.into();
    }
    network
}

/// The one network of a report.
fn network(output: &Output) -> Value {
    assert_eq!(output.code, Some(0), "{output:?}");
    let mut report: Value = serde_json::from_str(&output.stdout).expect("it's JSON");
    report["networks"][0].take()
}

fn widened(grant: Grant, network: &Value) -> Grant {
    let lines = network["grant_lines"].as_array().unwrap().iter();
    lines.fold(grant, |grant, line| {
        let (call, reach) = line.as_str().unwrap().split_once(" = ").unwrap();
        let call = call.trim_matches('"');
        grant.without(call).call(call, reach)
    })
}

/// What Podman makes of the words of `podman network create`.
fn wish(network: &Value, driver: &str) -> Connection {
    let words = network["command"].as_array().unwrap();
    let mut words = words
        .iter()
        .map(|word| word.as_str().unwrap())
        .skip(3)
        .peekable();
    let mut connection = Connection::new(driver)
        .without_network("network_interface")
        .without_network("ipam_options");
    while let Some(word) = words.next() {
        match word {
            "--internal" => {
                connection = connection.network("internal", true);
                continue;
            }
            "--disable-dns" => {
                connection = connection.network("dns_enabled", false);
                continue;
            }
            _ => {}
        }
        if !word.starts_with('-') {
            assert_eq!(words.next(), None, "the name comes last");
            break;
        }
        let value = words.next().expect("a value");
        connection = match word {
            "-d" => connection,
            "-o" => {
                let (key, value) = value.split_once('=').expect("an option");
                connection.option(key, value)
            }
            "--ipam-driver" => connection.ipam(value),
            "--subnet" => {
                let gateway = match words.next_if_eq(&"--gateway") {
                    Some(_) => words.next().expect("a gateway"),
                    None => "",
                };
                connection.subnet(value, gateway)
            }
            // Which address of it a container gets is Podman's choice.
            "--ip-range" => connection,
            "--route" => connection.route(route(value)),
            other => panic!("{other} is no flag that Podman has"),
        };
    }
    connection
}

fn route(words: &str) -> Value {
    let words: Vec<&str> = words.split(',').collect();
    let mut route = serde_json::json!({"destination": words[0], "gateway": words[1]});
    if let Some(metric) = words.get(2) {
        route["metric"] = metric.parse::<u32>().unwrap().into();
    }
    route
}

/// What the container is given besides its addresses.
fn at_run_time(connection: Connection, network: &Value) -> Connection {
    let flags = network["at_run_time"].as_array().unwrap().iter();
    let macs = flags.filter_map(|one| one["flags"].as_str()?.split_once(":mac="));
    macs.fold(connection, |connection, (_, mac)| {
        connection.join("static_mac", mac)
    })
}
