//! The grants of the model: those of the shipped drivers, and random ones. Their lines
//! are matched here once more, independently of `policy`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use ipnet::IpNet;
use policy::{Call, Grant, Limits, Reach};
use types::Digest;
use types::Namespace;

/// The patterns of each key from which random grants are made.
const PATTERNS: [(&str, &[&str]); 10] = [
    (
        "link",
        &[
            "eth0",
            "eth1",
            "eth2",
            "br-other",
            "br-own",
            "vethother",
            "eth0.100",
            "macv0",
            "x0",
            "container:eth1",
            "container:*",
            "*",
        ],
    ),
    ("place", &["host", "shared"]),
    (
        "address",
        &[
            "10.0.0.0/8",
            "192.168.1.0/24",
            "10.5.0.77/32",
            "fd00::/8",
            "*",
        ],
    ),
    (
        "destination",
        &[
            "10.77.0.0/16",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "0.0.0.0/0",
            "*",
        ],
    ),
    ("table", &["100", "200", "777", "*"]),
    ("vlan", &["100", "7", "*"]),
    ("vni", &["42", "*"]),
    (
        "key",
        &[
            "net.ipv4.ip_forward",
            "net.ipv6.conf.all.forwarding",
            "net.ipv4.conf.*.rp_filter",
            "net.ipv4.conf.eth0.arp_notify",
            "net.core.somaxconn",
            "container:*",
            "*",
        ],
    ),
    ("secret", &["key", "*"]),
    ("port", &["8080/tcp", "1-1023/udp", "*"]),
];

/// A driver's grant.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub(super) driver: String,
    pub(super) grant: Grant,
    pub(super) lines: Lines,
}

/// Returns the shipped grants, by the drivers' names.
pub(super) fn shipped() -> Vec<Granted> {
    let folder = workspace().join("guest-examples");
    let folders = std::fs::read_dir(folder).expect("the drivers can be listed");
    let mut all: Vec<Granted> = folders
        .filter_map(|entry| {
            let entry = entry.expect("the folder can be read");
            let text = std::fs::read_to_string(entry.path().join("grant.toml")).ok()?;
            let driver = entry.file_name().into_string().expect("a plain name");
            let digest = Digest::of(b"");
            let text = format!("driver = {driver:?}\ndigest = \"{digest}\"\n{text}");
            Some(Granted::parse(&driver, &text))
        })
        .collect();
    all.sort_by(|one, other| one.driver.cmp(&other.driver));
    assert!(!all.is_empty(), "no driver has a grant");
    all
}

/// The folder of the whole project: `WASMVARK_WORKSPACE`, else where this was
/// built.
pub(super) fn workspace() -> PathBuf {
    let built = || concat!(env!("CARGO_MANIFEST_DIR"), "/../..").into();
    std::env::var_os("WASMVARK_WORKSPACE").map_or_else(built, PathBuf::from)
}

/// Returns a random grant.
pub(super) fn random(rng: &mut Rng) -> Granted {
    // Half of the grants list every call.
    let listed = (2.0 * rng.f32()).min(1.0);
    let widened = rng.f32();
    let mut calls = BTreeMap::new();
    for call in Call::ALL {
        if rng.f32() > listed {
            continue;
        }
        let mut reach = Reach::default();
        for key in call.reach_keys() {
            let patterns = PATTERNS.iter().find(|(name, _)| *name == key.name());
            let patterns = patterns.map(|(_, patterns)| *patterns).unwrap_or_default();
            for pattern in patterns {
                if rng.f32() < widened * 0.5 {
                    // A pattern that another one covers is refused.
                    let _ = reach.add(*key, pattern);
                }
            }
        }
        calls.insert(*call, reach);
    }
    let (digest, limits) = (Digest::of(b""), Limits::default());
    Granted::parse("random", &Grant::text("random", &digest, &limits, &calls))
}

impl Granted {
    pub(super) fn parse(driver: &str, text: &str) -> Self {
        let grant = Grant::parse(driver, Path::new("grant.toml"), text).unwrap();
        Self {
            driver: driver.to_owned(),
            lines: Lines::of(&grant),
            grant,
        }
    }

    /// Returns the lines of some calls, for messages.
    pub(super) fn text(&self, calls: &[Call]) -> Vec<String> {
        let all = self.grant.calls().iter();
        all.filter(|(call, _)| calls.contains(call))
            .map(|(call, reach)| format!("\"{call}\" = {reach}"))
            .collect()
    }
}

/// The patterns of each key of each listed call, as they are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>>);

impl Lines {
    fn of(grant: &Grant) -> Self {
        let calls = grant.calls().iter().map(|(call, reach)| {
            let keys = reach.keys().map(|key| (key.name(), reach.patterns(key)));
            (call.name(), keys.collect())
        });
        Self(calls.collect())
    }

    /// Whether a call is listed.
    pub(super) fn has(&self, call: &str) -> bool {
        self.0.contains_key(call)
    }

    fn any(&self, calls: &[&str], key: &str, fits: impl Fn(&str) -> bool) -> bool {
        calls.iter().any(|call| {
            let patterns = self.0.get(call).and_then(|keys| keys.get(key));
            patterns.is_some_and(|patterns| patterns.iter().any(|text| text == "*" || fits(text)))
        })
    }

    /// Whether a line of these calls covers a link.
    pub(super) fn link(&self, calls: &[&str], namespace: Namespace, name: &str) -> bool {
        calls.iter().any(|call| {
            let patterns = self.0.get(call).and_then(|keys| keys.get("link"));
            patterns.into_iter().flatten().any(|text| {
                let inside = text.strip_prefix("container:");
                let pattern = inside.unwrap_or(text);
                inside.is_some() == (namespace == Namespace::Container)
                    && (pattern == "*" || pattern == name)
            })
        })
    }

    /// Whether a line of these calls allows links on the host.
    pub(super) fn place(&self, calls: &[&str]) -> bool {
        self.any(calls, "place", |text| matches!(text, "host" | "shared"))
    }

    /// Whether any line allows shared links.
    pub(super) fn shares(&self) -> bool {
        let places = self.0.values().filter_map(|keys| keys.get("place"));
        places.flatten().any(|text| text == "shared")
    }

    /// Whether a line of these calls covers a whole network.
    pub(super) fn network(&self, calls: &[&str], key: &str, network: IpNet) -> bool {
        self.any(calls, key, |text| {
            let wide: Option<IpNet> = text.parse().ok();
            wide.is_some_and(|wide| wide.contains(&network.trunc()))
        })
    }

    /// Whether a line of these calls covers a number.
    pub(super) fn number(&self, calls: &[&str], key: &str, number: u32) -> bool {
        self.any(calls, key, |text| text.parse() == Ok(number))
    }

    /// Whether the call's line covers a kernel setting.
    pub(super) fn key(&self, call: &str, namespace: Namespace, key: &str) -> bool {
        let patterns = self.0.get(call).and_then(|keys| keys.get("key"));
        patterns.into_iter().flatten().any(|text| {
            let inside = text.strip_prefix("container:");
            let pattern: Vec<&str> = inside.unwrap_or(text).split('.').collect();
            let parts: Vec<&str> = key.split('.').collect();
            let fits = |(pattern, part): (&&str, &&str)| *pattern == "*" || pattern == part;
            inside.is_some() == (namespace == Namespace::Container)
                && (pattern == ["*"]
                    || (pattern.len() == parts.len() && pattern.iter().zip(&parts).all(fits)))
        })
    }

    /// Whether the call's line covers a kernel setting, and a pattern has the last part
    /// of the setting without a wildcard.
    pub(super) fn spells_key(&self, call: &str, namespace: Namespace, key: &str) -> bool {
        let patterns = self.0.get(call).and_then(|keys| keys.get("key"));
        let last = key.rsplit('.').next();
        let mut patterns = patterns.into_iter().flatten();
        patterns.any(|text| text.rsplit('.').next() == last) && self.key(call, namespace, key)
    }

    /// Whether the call's line covers a port of the host.
    pub(super) fn port(&self, call: &str, port: u16, protocol: &str) -> bool {
        self.any(&[call], "port", |text| {
            let Some((ports, named)) = text.split_once('/') else {
                return false;
            };
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            let within = |first: u16, last: u16| (first..=last).contains(&port);
            named == protocol
                && first
                    .parse()
                    .ok()
                    .zip(last.parse().ok())
                    .is_some_and(|(first, last)| within(first, last))
        })
    }

    /// Whether a line of these calls covers a secret.
    pub(super) fn secret(&self, calls: &[&str], name: &str) -> bool {
        self.any(calls, "secret", |text| text == name)
    }
}
