//! The document of `create`, and the changes that drivers make to it.

use request::Network;
use request::protocol::{DocumentChange, NetworkDocument, Received};

/// A network with a field that nobody knows.
const NETWORK: &str = r#"{"name":"lan","id":"0123","driver":"wasm-macvlan","internal":false,
    "created":"2026-01-02T03:04:05Z","later":1e400,"ipv6_enabled":false,"dns_enabled":false,
    "network_interface":"eth1","subnets":[{"subnet":"10.0.0.0/24","gateway":"10.0.0.1"}],
    "options":{"mode":"bridge"},"labels":{"a":"b"},"ipam_options":{"driver":"host-local"}}"#;

pub(crate) fn run(input: &[u8]) {
    let Ok(received) = Received::network(input) else {
        return;
    };
    let document = received.document();
    let _ = Network::resolve(document.network());
    // Without changes the caller gets it back as it was.
    let same = document.changed().expect("an unchanged network");
    assert_eq!(&same, document.network());
    let text = document.json().expect("an unchanged document");
    let again = Received::network(text.as_bytes()).expect("a network again");
    assert_eq!(again.document().network(), document.network());
}

/// The merge patch that a driver of version 0.1 returns.
pub(crate) fn patch(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let Ok(changes) = DocumentChange::of_patch(text) else {
        return;
    };
    let received = Received::network(NETWORK.as_bytes()).expect("a network");
    let mut document = received.document().clone();
    for change in &changes {
        if document.apply(change).is_err() {
            return;
        }
    }
    keeps_what_is_fixed(&document, received.document());
}

fn keeps_what_is_fixed(changed: &NetworkDocument, before: &NetworkDocument) {
    let json = changed.json().expect("a changed document");
    for fixed in [
        r#""later":1e400"#,
        r#""created":"2026-01-02T03:04:05Z""#,
        r#""internal":false"#,
    ] {
        assert!(json.contains(fixed), "{json}");
    }
    if let Ok(network) = changed.changed() {
        let before = before.network();
        assert_eq!(network.name, before.name);
        assert_eq!(network.id, before.id);
        assert_eq!(network.driver, before.driver);
        assert_eq!(network.internal, before.internal);
    }
}
