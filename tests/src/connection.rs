//! The documents that Podman sends.

use serde_json::{Map, Value, json};

use crate::world::PARENT;

/// A container's connection to a network, with its documents.
#[derive(Debug, Clone)]
pub struct Connection {
    container_id: String,
    ports: Vec<Value>,
    network: Map<String, Value>,
    join: Map<String, Value>,
}

/// The default ID of the container.
pub const CONTAINER_ID: &str = "c0ffee9a8e8f6092eac6d8002c5cbf0f8089132fd5613ec7a1dd030ef9410375";

/// The name of the network in all documents.
pub const NETWORK: &str = "testnet";

/// The default name of the interface in the container.
pub const INTERFACE: &str = "eth0";

/// Returns a mapping of `range` published ports, as Podman sends it. `protocol` may be
/// a list, such as `tcp,udp`.
pub fn mapping(host_ip: &str, host_port: u16, port: u16, range: u16, protocol: &str) -> Value {
    json!({
        "container_port": port, "host_port": host_port, "range": range,
        "host_ip": host_ip, "protocol": protocol,
    })
}

impl Connection {
    /// Returns a connection without addresses to a network on [`PARENT`].
    pub fn new(driver: &str) -> Self {
        Self {
            container_id: CONTAINER_ID.into(),
            ports: Vec::new(),
            network: fields(json!({
                "name": NETWORK,
                "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
                "driver": driver,
                "network_interface": PARENT,
                "internal": false,
                "ipv6_enabled": false,
                "dns_enabled": false,
                "ipam_options": {"driver": "host-local"},
                "subnets": [],
                "options": {},
            })),
            join: fields(json!({"interface_name": INTERFACE, "static_ips": []})),
        }
    }

    /// Returns a connection with one IPv4 address.
    pub fn v4(driver: &str) -> Self {
        Self::new(driver)
            .subnet("10.88.0.0/16", "10.88.0.1")
            .ip("10.88.0.2")
    }

    /// Returns a connection with one IPv6 address.
    pub fn v6(driver: &str) -> Self {
        let v6 = Self::new(driver)
            .subnet("fd88::/64", "fd88::1")
            .ip("fd88::2");
        v6.network("ipv6_enabled", true)
    }

    /// Returns a connection with an address of each family.
    pub fn dual(driver: &str) -> Self {
        Self::v4(driver)
            .subnet("fd88::/64", "fd88::1")
            .ip("fd88::2")
            .network("ipv6_enabled", true)
    }

    /// Adds a subnet with its gateway. It has none if `gateway` is empty.
    pub fn subnet(mut self, subnet: &str, gateway: &str) -> Self {
        let mut entry = json!({"subnet": subnet});
        if !gateway.is_empty() {
            entry["gateway"] = gateway.into();
        }
        self.push_network("subnets", entry);
        self
    }

    /// Adds an address of the container.
    pub fn ip(mut self, address: &str) -> Self {
        let addresses = self
            .join
            .get_mut("static_ips")
            .and_then(Value::as_array_mut);
        addresses
            .expect("the addresses are a list")
            .push(address.into());
        self
    }

    /// Adds a static route in the document's form.
    pub fn route(mut self, route: Value) -> Self {
        self.push_network("routes", route);
        self
    }

    /// Adds published ports in the document's form.
    pub fn port(mut self, mapping: Value) -> Self {
        self.ports.push(mapping);
        self
    }

    /// Sets an option of the network.
    pub fn option(mut self, key: &str, value: &str) -> Self {
        self.network["options"][key] = value.into();
        self
    }

    /// Whether the network has an option.
    pub fn has_option(&self, key: &str) -> bool {
        self.network["options"].get(key).is_some()
    }

    /// Sets the IPAM driver.
    pub fn ipam(self, driver: &str) -> Self {
        self.network("ipam_options", json!({"driver": driver}))
    }

    /// Sets a field of the network.
    pub fn network(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.network.insert(key.into(), value.into());
        self
    }

    /// Replaces the network by the answer of `create`.
    pub fn to_made(mut self, network: Value) -> Self {
        self.network = fields(network);
        self
    }

    /// Removes a field of the network.
    pub fn without_network(mut self, key: &str) -> Self {
        self.network.remove(key);
        self
    }

    /// Sets a field of the container's options.
    pub fn join(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.join.insert(key.into(), value.into());
        self
    }

    /// Removes a field of the container's options.
    pub fn without_join(mut self, key: &str) -> Self {
        self.join.remove(key);
        self
    }

    /// Sets the container's ID.
    pub fn container(mut self, id: &str) -> Self {
        self.container_id = id.into();
        self
    }

    /// Returns the container's ID.
    pub fn container_id(&self) -> &str {
        &self.container_id
    }

    /// Sets the driver.
    pub fn for_driver(self, driver: &str) -> Self {
        self.network("driver", driver)
    }

    /// Whether the document has a MAC address for the container.
    pub fn has_static_mac(&self) -> bool {
        self.join.contains_key("static_mac")
    }

    /// Returns the network's ID.
    pub fn network_id(&self) -> &str {
        self.network["id"].as_str().expect("the id is a text")
    }

    /// Returns the gateways of the network's subnets.
    pub fn gateways(&self) -> Vec<String> {
        let subnets = self.network["subnets"].as_array().into_iter().flatten();
        subnets
            .filter_map(|subnet| subnet["gateway"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// Returns the document for `netavark setup` and `netavark teardown`.
    pub fn for_netavark(&self) -> String {
        self.for_netavark_as(NETWORK)
    }

    /// Returns the same document with the network's name.
    pub fn for_netavark_as(&self, network: &str) -> String {
        json!({
            "container_id": self.container_id,
            "container_name": "test",
            "port_mappings": self.port_mappings(),
            "networks": {network: self.join},
            "network_info": {network: self.network},
        })
        .to_string()
    }

    /// Returns the document for a plugin's `setup` and `teardown`.
    pub fn for_plugin(&self) -> String {
        json!({
            "container_id": self.container_id,
            "container_name": "test",
            "port_mappings": self.port_mappings(),
            "network": self.network,
            "network_options": self.join,
        })
        .to_string()
    }

    /// Returns the published ports. Podman sends `null` if there are none.
    fn port_mappings(&self) -> Value {
        match self.ports.as_slice() {
            [] => Value::Null,
            ports => ports.into(),
        }
    }

    /// Returns the document for a plugin's `create`.
    pub fn for_create(&self) -> String {
        Value::Object(self.network.clone()).to_string()
    }

    /// Whether an option of the network names one of the operator's secrets.
    pub fn names_secrets(&self) -> bool {
        let options = self.network.get("options").and_then(Value::as_object);
        options.is_some_and(|options| options.keys().any(|key| key.ends_with("_secret")))
    }

    /// Returns the network's driver.
    pub fn driver(&self) -> &str {
        self.network["driver"].as_str().unwrap_or_default()
    }

    /// Returns the document for `netavark create`.
    pub fn for_netavark_create(&self) -> String {
        json!({
            "network": self.network,
            "used": {"interfaces": [], "names": {}, "subnets": []},
            "options": {
                "subnet_pools": [{"base": "10.99.0.0/16", "size": 24}],
                "default_interface_name": "podman",
                "check_used_subnets": false,
            },
        })
        .to_string()
    }

    fn push_network(&mut self, key: &str, entry: Value) {
        let list = self.network.entry(key).or_insert_with(|| json!([]));
        list.as_array_mut()
            .expect("the field is a list")
            .push(entry);
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("not an object: {other}"),
    }
}
