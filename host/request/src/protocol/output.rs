//! The documents that a plugin writes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};
use types::Mac;
use types::text;

/// The version of the plugin API that netavark publishes (`plugin::API_VERSION`).
const API_VERSION: &str = "1.0.0";

/// The answer to `setup`, as in netavark's `types::StatusBlock`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StatusBlock {
    /// The container's interfaces by name.
    pub interfaces: BTreeMap<String, NetInterface>,
    /// The DNS servers for the container.
    pub dns_server_ips: Vec<IpAddr>,
    /// The search domains for the container.
    pub dns_search_domains: Vec<String>,
}

/// One interface of a container.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetInterface {
    /// The interface's MAC address. The text is empty for a kind without one: netavark
    /// requires the field, and Podman takes an empty text for no address.
    #[serde(serialize_with = "text_or_empty")]
    pub mac_address: Option<Mac>,
    /// The interface's addresses.
    pub subnets: Vec<NetAddress>,
}

fn text_or_empty<S: Serializer>(mac: &Option<Mac>, serializer: S) -> Result<S::Ok, S::Error> {
    match mac {
        Some(mac) => mac.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// One address of an interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetAddress {
    /// The address with its prefix length.
    pub ipnet: IpNet,
    /// The gateway of the address's subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
}

/// The answer to `info`.
#[derive(Debug, Clone, Serialize)]
pub struct Info {
    version: &'static str,
    api_version: &'static str,
    driver: String,
}

impl Info {
    /// Returns the answer for a driver's name.
    pub fn new(driver: String) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            api_version: API_VERSION,
            driver,
        }
    }
}

/// The longest answer, in bytes. Podman reads it only after the plugin has ended, so it
/// must fit into a pipe. The usual pipe is four times as large (pipe(7)).
pub const ANSWER_MAX: usize = 16 << 10;

/// Returns the document for a failure. It has one key, because Podman 5 refuses others.
/// A message that is too long for an answer is shortened.
pub fn error_document(message: &str) -> String {
    let document = |message: &str| serde_json::json!({ "error": message }).to_string();
    let whole = document(message);
    if whole.len() <= ANSWER_MAX {
        return whole;
    }
    // JSON writes a control character of one byte with six bytes.
    document(&text::shortened(message, ANSWER_MAX / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_document_however_long_its_text_is() {
        let overhead = error_document("").len();
        for (character, bytes) in [("x", 1), ("ü", 2), ("\u{1}", 6), ("\"", 2)] {
            let whole = character.repeat((ANSWER_MAX - overhead) / bytes);
            for text in [whole.clone(), whole + character, character.repeat(1 << 20)] {
                let json = error_document(&text);
                assert!(json.len() <= ANSWER_MAX, "{} bytes", json.len());
                let value: serde_json::Value = serde_json::from_str(&json).unwrap();
                let error = value["error"].as_str().unwrap();
                assert!(error == text || error.ends_with(" …"), "{error}");
            }
        }
    }
}
