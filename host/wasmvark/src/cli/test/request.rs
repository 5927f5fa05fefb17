//! The request of a case: netavark's document, with what a case leaves out.

use serde_json::{Map, Value, json};
use types::nearest;

use super::case::{Case, CaseError, Function};

/// The id of the network, unless the case has one.
const NETWORK_ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// The id of the container, unless the case has one.
const CONTAINER_ID: &str = "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b";

/// The keys of a network (netavark's `types::Network`).
const NETWORK: [&str; 13] = [
    "created",
    "dns_enabled",
    "driver",
    "id",
    "internal",
    "ipam_options",
    "ipv6_enabled",
    "name",
    "network_dns_servers",
    "network_interface",
    "options",
    "routes",
    "subnets",
];
/// The keys of a container's options for a network (netavark's `types::PerNetworkOptions`).
const OPTIONS: [&str; 5] = [
    "aliases",
    "interface_name",
    "options",
    "static_ips",
    "static_mac",
];
/// The keys of a container besides, and what netavark's document calls them.
pub(in crate::cli) const CONTAINER: [(&str, &str); 3] = [
    ("id", "container_id"),
    ("name", "container_name"),
    ("port_mappings", "port_mappings"),
];

/// Returns the document for the driver's function.
///
/// # Errors
///
/// A key is none of netavark's.
pub(in crate::cli) fn document(case: &Case, driver: &str) -> Result<Vec<u8>, CaseError> {
    check("network", case.network.keys(), &NETWORK)?;
    let mut network = object(json!({
        "name": "net",
        "id": NETWORK_ID,
        "driver": driver,
    }));
    network.extend(to_json(&case.network)?);
    if case.run == Function::Create {
        return bytes(&network);
    }
    let own = CONTAINER.map(|(key, _)| key);
    check(
        "container",
        case.container.keys(),
        &[&OPTIONS[..], &own].concat(),
    )?;
    let mut options = object(json!({ "interface_name": "eth0" }));
    let mut document = object(json!({
        "container_id": CONTAINER_ID,
        "container_name": "container",
    }));
    for (key, value) in to_json(&case.container)? {
        match CONTAINER.iter().find(|(own, _)| *own == key) {
            Some((_, name)) => document.insert((*name).to_owned(), value),
            None => options.insert(key, value),
        };
    }
    document.insert("network".to_owned(), network.into());
    document.insert("network_options".to_owned(), options.into());
    bytes(&document)
}

fn check<'a>(
    table: &str,
    keys: impl Iterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), CaseError> {
    for key in keys {
        if !known.contains(&key.as_str()) {
            let near = nearest::name(key, known.iter().copied());
            return Err(CaseError::Malformed(format!(
                "[{table}] has the unknown key {key}{}; netavark's are {}",
                nearest::did_you_mean(near),
                known.join(", ")
            )));
        }
    }
    Ok(())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Returns a table as JSON.
pub(super) fn to_json(table: &toml::Table) -> Result<Map<String, Value>, CaseError> {
    let value = serde_json::to_value(table);
    let value = value.map_err(|error| CaseError::Malformed(error.to_string()))?;
    Ok(object(value))
}

fn bytes(document: &Map<String, Value>) -> Result<Vec<u8>, CaseError> {
    serde_json::to_vec(document).map_err(|error| CaseError::Malformed(error.to_string()))
}
