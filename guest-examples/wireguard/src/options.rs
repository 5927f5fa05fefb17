//! The driver's options.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::wireguard::{Endpoint, Peer};
use wasmvark_guest::{find, not, parse, read};

/// The option that names the secret with the private key.
const PRIVATE_KEY: &str = "private_key_secret";

/// The prefix of peers' options.
const PEER: &str = "peer.";

/// The option for the seconds after which a peer gets a packet.
const KEEPALIVE: &str = "keepalive";

/// The options of a peer, such as `peer.NAME.key`.
const OF_PEER: &[&str] = &[
    "key",
    "endpoint",
    "allowed_ips",
    KEEPALIVE,
    "preshared_key_secret",
];

/// The options that the host doesn't parse.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) private_key: Option<String>,
    pub(crate) listen_port: Option<u16>,
    pub(crate) peers: Vec<Peer>,
}

impl Options {
    /// Parses the options that apply.
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        let key = find(options, PRIVATE_KEY);
        Ok(Self {
            private_key: key.filter(|name| !name.is_empty()).map(str::to_owned),
            listen_port: parse(options, "listen_port")?,
            peers: peers(options)?,
        })
    }
}

/// Returns the error for a missing private key.
pub(crate) fn no_key() -> Error {
    Error::Invalid(format!(
        "the option {PRIVATE_KEY} is missing: it names a secret of the host, for the network or \
         for each container"
    ))
}

/// Splits an option of a peer into the peer's name and the property.
fn split(key: &str) -> Option<(&str, &str)> {
    let (name, what) = key.strip_prefix(PEER)?.rsplit_once('.')?;
    (!name.is_empty() && OF_PEER.contains(&what)).then_some((name, what))
}

fn peers(options: &[RequestOption]) -> Result<Vec<Peer>, Error> {
    let mut peers: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for option in options {
        if let Some((name, what)) = split(&option.key) {
            peers.entry(name).or_default().insert(what, &option.value);
        }
    }
    let peers = peers.into_iter();
    peers.map(|(name, fields)| peer(name, &fields)).collect()
}

fn peer(name: &str, fields: &BTreeMap<&str, &str>) -> Result<Peer, Error> {
    let key_of = |what: &str| format!("{PEER}{name}.{what}");
    let Some(key) = fields.get("key") else {
        return Err(Error::Invalid(format!(
            "the peer {name} has no public key: give {PEER}{name}.key"
        )));
    };
    let endpoint = fields.get("endpoint").map(|text| {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| not(&key_of("endpoint"), text, "ADDRESS:PORT or [ADDRESS]:PORT"))?;
        Ok(Endpoint {
            address: address.ip().to_string(),
            port: address.port(),
        })
    });
    let keepalive = fields.get(KEEPALIVE);
    let keepalive = keepalive.map(|text| read(&key_of(KEEPALIVE), text));
    let networks = fields.get("allowed_ips").copied().unwrap_or_default();
    Ok(Peer {
        public_key: (*key).to_owned(),
        preshared_key: fields
            .get("preshared_key_secret")
            .map(|it| (*it).to_owned()),
        endpoint: endpoint.transpose()?,
        allowed_ips: networks.split_whitespace().map(str::to_owned).collect(),
        keepalive: keepalive.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<RequestOption> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        pairs.iter().map(option).collect()
    }

    fn error(pairs: &[(&str, &str)]) -> String {
        let given = options(pairs);
        match Options::parse(&given) {
            Err(Error::Invalid(text)) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn peers_have_names() {
        let given = options(&[
            ("peer.b.key", "KEY2"),
            ("peer.a.x.key", "KEY1"),
            ("peer.a.x.endpoint", "[fd00::1]:51820"),
            ("peer.a.x.allowed_ips", "10.0.0.0/8 fd00::/8"),
            ("peer.a.x.keepalive", "25"),
            ("peer.a.x.preshared_key_secret", "shared"),
            ("private_key_secret", "own"),
            ("listen_port", "2000"),
        ]);
        let parsed = Options::parse(&given).unwrap();
        assert_eq!(parsed.private_key.as_deref(), Some("own"));
        assert_eq!(parsed.listen_port, Some(2000));
        let [first, second] = parsed.peers.as_slice() else {
            panic!("{:?}", parsed.peers);
        };
        assert_eq!(first.public_key, "KEY1");
        assert_eq!(first.allowed_ips, ["10.0.0.0/8", "fd00::/8"]);
        assert_eq!(first.keepalive, Some(25));
        assert_eq!(first.preshared_key.as_deref(), Some("shared"));
        let endpoint = first.endpoint.as_ref().unwrap();
        assert_eq!(
            (endpoint.address.as_str(), endpoint.port),
            ("fd00::1", 51820)
        );
        assert_eq!(second.public_key, "KEY2");
        assert!(second.allowed_ips.is_empty() && second.endpoint.is_none());
    }

    #[test]
    fn mistakes_are_named() {
        assert!(error(&[("peer.a.endpoint", "x")]).contains("has no public key"));
        let key = ("peer.a.key", "K");
        assert!(error(&[key, ("peer.a.endpoint", "host:1")]).contains("ADDRESS:PORT"));
        assert_eq!(
            error(&[key, ("peer.a.keepalive", "-1")]),
            "unable to parse \"peer.a.keepalive\": \"-1\" is not a whole number from 0 to 65535"
        );
        assert!(error(&[("listen_port", "65536")]).contains("listen_port"));
    }
}
