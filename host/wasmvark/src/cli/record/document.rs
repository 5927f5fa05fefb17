//! The text of a recorded case.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::test::{Function, Machine, RENAMED};

/// What stands at the head of each recorded case.
const HEAD: &str = "# Recorded by `wasmvark record`.\n";

/// A request in the form of a case.
pub(super) struct Request {
    run: Function,
    network: Map<String, Value>,
    container: Map<String, Value>,
}

/// Why a document can't become a case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestFault {
    /// It's no JSON object.
    #[error("it's no JSON object: {0}")]
    Json(#[from] serde_json::Error),
}

/// A recorded case.
#[derive(Serialize)]
struct Recorded<'a> {
    run: &'static str,
    network: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    container: &'a Map<String, Value>,
    machine: &'a Machine,
}

/// Reads netavark's document.
///
/// # Errors
///
/// It's no JSON object.
pub(super) fn tables(bytes: &[u8]) -> Result<Request, RequestFault> {
    let mut document: Map<String, Value> = serde_json::from_slice(bytes)?;
    without_nulls(&mut document);
    let network = take(&mut document, "network");
    if network.is_empty() {
        return Ok(Request {
            run: Function::Create,
            network: document,
            container: Map::new(),
        });
    }
    let mut container = take(&mut document, "network_options");
    for (key, name) in RENAMED {
        if let Some(value) = document.remove(name) {
            container.insert(key.to_owned(), value);
        }
    }
    Ok(Request {
        run: Function::Setup,
        network,
        container,
    })
}

/// Returns the case's text.
///
/// # Errors
///
/// The request has a value that TOML can't have.
pub(super) fn text(request: &Request, machine: &Machine) -> Result<String, toml::ser::Error> {
    let recorded = Recorded {
        run: match request.run {
            Function::Create => "create",
            Function::Setup => "setup",
        },
        network: &request.network,
        container: &request.container,
        machine,
    };
    Ok(format!("{HEAD}{}", toml::to_string(&recorded)?))
}

fn take(document: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match document.remove(key) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Removes nulls, which TOML doesn't have and netavark takes for missing keys.
fn without_nulls(map: &mut Map<String, Value>) {
    map.retain(|_, value| !value.is_null());
    for value in map.values_mut() {
        strip(value);
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => without_nulls(map),
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_becomes_a_case() {
        let document = br#"{
            "container_id": "c1", "container_name": "n", "port_mappings": null,
            "network_options": {"interface_name": "eth0", "static_mac": null},
            "network": {"name": "net", "driver": "lan", "options": {"mtu": "1400"},
                        "subnets": [{"subnet": "192.0.2.0/24", "gateway": null}]}
        }"#;
        let text = text(&tables(document).unwrap(), &Machine::default()).unwrap();
        let case: toml::Table = text.parse().unwrap();
        assert_eq!(case["run"].as_str(), Some("setup"));
        assert_eq!(case["network"]["options"]["mtu"].as_str(), Some("1400"));
        let subnet = &case["network"]["subnets"][0];
        assert_eq!(subnet.as_table().unwrap().len(), 1, "{text}");
        let container = case["container"].as_table().unwrap();
        let keys: Vec<&str> = container.keys().map(String::as_str).collect();
        assert_eq!(keys, ["id", "interface_name", "name"], "{text}");
    }

    #[test]
    fn a_network_becomes_a_case_of_create() {
        let text = text(&tables(br#"{"name": "net"}"#).unwrap(), &Machine::default()).unwrap();
        let case: toml::Table = text.parse().unwrap();
        assert_eq!(case["run"].as_str(), Some("create"));
        assert_eq!(case["network"]["name"].as_str(), Some("net"));
        assert!(tables(b"[]").is_err());
    }
}
