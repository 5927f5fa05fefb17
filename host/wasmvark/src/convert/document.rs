//! A CNI document: its name, its plugins, and the keys that every plugin has.

use std::net::IpAddr;

use serde_json::{Map, Value};
use types::text;

use super::keys::Keys;
use super::plan::{Note, Plan};
use super::{ConvertError, quoted};

/// The longest name of a network, in bytes.
const NAME_MAX: usize = 255;

/// The names that Podman refuses for networks, because they mean something else in
/// `podman run --network`, and the name of its default network.
const RESERVED: [&str; 10] = [
    "none",
    "host",
    "bridge",
    "private",
    "slirp4netns",
    "pasta",
    "container",
    "ns",
    "default",
    "podman",
];

/// A parsed document.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) plugins: Vec<Plugin>,
    pub(super) notes: Vec<Note>,
}

/// A plugin of a document.
pub(super) struct Plugin {
    pub(super) kind: String,
    pub(super) keys: Keys,
}

impl Document {
    /// Parses a document. It is a list if it has `plugins`.
    pub(super) fn parse(text: &str) -> Result<Self, ConvertError> {
        let object: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| ConvertError::Json(error.to_string()))?;
        let mut keys = Keys::new("", object);
        let listed = keys.take::<Vec<Map<String, Value>>>("plugins")?;
        let name = keys.take::<String>("name")?;
        let (plugins, notes) = match listed {
            None => (vec![Plugin::new(keys, "the document")?], Vec::new()),
            Some(listed) => {
                // These keys are about CNI's own versions and checks.
                keys.ignore(&["cniVersion", "cniVersions", "disableCheck", "disableGC"]);
                let named = |(at, object)| {
                    let what = format!("plugins[{at}]");
                    Plugin::new(Keys::new("", object), &what)
                };
                let plugins = listed.into_iter().enumerate().map(named);
                let notes = keys.left().map(|key| Note::unknown(&key, "CNI"));
                (plugins.collect::<Result<_, _>>()?, notes.collect())
            }
        };
        Ok(Self {
            name: check_name(name)?,
            plugins,
            notes,
        })
    }
}

impl Plugin {
    fn new(mut keys: Keys, what: &str) -> Result<Self, ConvertError> {
        let kind = keys.take::<String>("type")?;
        let kind = kind.filter(|kind| !kind.is_empty());
        // The document's name is used, not a plugin's.
        keys.ignore(&["name"]);
        Ok(Self {
            kind: kind.ok_or_else(|| ConvertError::NoType(what.to_owned()))?,
            keys,
        })
    }
}

fn check_name(name: Option<String>) -> Result<String, ConvertError> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(ConvertError::NoName);
    };
    if !text::is_plain_name(&name, NAME_MAX) {
        return Err(ConvertError::Name(name));
    }
    match RESERVED.contains(&name.as_str()) {
        true => Err(ConvertError::ReservedName(name)),
        false => Ok(name),
    }
}

/// Takes the keys that every plugin has: those that the runtime passes, and DNS.
pub(super) fn common(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    keys.ignore(&["cniVersion", "cniVersions", "prevResult"]);
    dns(keys.object("dns")?, plan)?;
    capabilities(keys, plan)?;
    // `args.cni` has the keys of `CNI_ARGS`. The plugin itself uses a device of
    // `runtimeConfig`.
    let mut args = keys.object("args")?;
    let mut cni_args = args.object("cni")?;
    container_addresses(&mut cni_args, plan)?;
    note_container_keys(&cni_args, plan);
    note_container_keys(&args, plan);
    let mut config = keys.object("runtimeConfig")?;
    container_addresses(&mut config, plan)?;
    plan.device = config.take("deviceID")?;
    note_container_keys(&config, plan);
    Ok(())
}

/// Notes that the remaining keys are for one container.
fn note_container_keys(keys: &Keys, plan: &mut Plan) {
    for key in keys.left() {
        let text = "the key is for one container, and a network of Podman is for all: see `podman \
                    run --help`";
        plan.no_counterpart(&key, text);
    }
}

/// Takes the MAC address and the addresses of one container.
fn container_addresses(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if let Some(mac) = keys.take::<String>("mac")? {
        plan.mac(&keys.path("mac"), &mac);
    }
    let ips: Vec<String> = keys.take_or_default("ips")?;
    let addresses: Vec<IpAddr> = ips
        .iter()
        .filter_map(|ip| ip.split('/').next()?.parse().ok())
        .collect();
    if addresses.len() != ips.len() {
        return Err(keys.wrong("ips", "each entry must be an IP address"));
    }
    plan.addresses(&keys.path("ips"), &addresses);
    Ok(())
}

/// Takes DNS settings. In Podman they are the container's. A network has such settings
/// only if netavark resolves names, which it does for its own bridge.
pub(super) fn dns(mut keys: Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let mut flags = Vec::new();
    let mut push = |flag: &str, values: Vec<String>| {
        flags.extend(
            values
                .iter()
                .map(|value| format!("{flag} {}", quoted(value))),
        );
    };
    push("--dns", keys.take_or_default("nameservers")?);
    let mut search: Vec<String> = keys.take_or_default("search")?;
    let domain = keys.take::<String>("domain")?;
    if let Some(domain) = domain.filter(|domain| !domain.is_empty() && !search.contains(domain)) {
        search.insert(0, domain);
    }
    push("--dns-search", search);
    push("--dns-option", keys.take_or_default("options")?);
    if !flags.is_empty() {
        plan.at_run_time(keys.path("").trim_end_matches('.'), flags.join(" "));
    }
    plan.unknown("CNI", &keys);
    Ok(())
}

/// Notes the flags of `podman run` for the capabilities that the runtime passes.
fn capabilities(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let capabilities: std::collections::BTreeMap<String, bool> =
        keys.take_or_default("capabilities")?;
    let name = plan.network.clone();
    for (capability, _) in capabilities.into_iter().filter(|(_, on)| *on) {
        let key = format!("capabilities.{capability}");
        let flags = match capability.as_str() {
            "portMappings" => "-p HOST_PORT:CONTAINER_PORT".to_owned(),
            "mac" => format!("--network {name}:mac=MAC"),
            "ips" => format!("--network {name}:ip=ADDRESS"),
            "bandwidth" => format!(
                "--network {name}:ingress_rate=BITS_PER_SECOND,ingress_burst=BYTES,\
                 egress_rate=BITS_PER_SECOND,egress_burst=BYTES"
            ),
            "deviceID" => format!("--network {name}:pci=ADDRESS"),
            "dns" => "--dns ADDRESS".to_owned(),
            "aliases" => format!("--network {name}:alias=NAME"),
            _ => {
                plan.no_counterpart(&key, "Podman has no such capability");
                continue;
            }
        };
        plan.at_run_time(&key, flags);
    }
    Ok(())
}
