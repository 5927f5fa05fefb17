//! The documents of `setup` and `teardown`, and the user's word in them.

use request::protocol::{Network, Received};
use request::{KeptNetwork, Request};

pub(crate) fn run(input: &[u8]) {
    let Ok(received) = Received::setup(input) else {
        return;
    };
    let document = received.document();
    let Ok(request) = Request::resolve(document) else {
        return;
    };
    names_no_file_elsewhere(&request);
    users_own_is_the_users(&request, &document.network);
    unsaid_is_nobodys(&request, &document.network);
}

/// The ids become names of files.
fn names_no_file_elsewhere(request: &Request) {
    let key = request.key();
    for name in [key.network.to_string(), key.container.to_string()] {
        assert!(!name.is_empty() && name.len() < 256, "{name:?}");
        assert!(
            !name.starts_with('.') && !name.contains(['/', '\0']),
            "{name:?}"
        );
    }
    let link = request.interface_name.as_str();
    assert!(
        (1..16).contains(&link.len()) && !link.contains('/'),
        "{link:?}"
    );
}

/// What the user's own document has is the user's word.
fn users_own_is_the_users(request: &Request, network: &Network) {
    let kept = KeptNetwork {
        network: network.clone(),
        chosen: None,
    };
    let said = request.said(Some(&kept)).expect("the same network");
    assert_eq!(said.unsaid, [""; 0]);
    assert!(!said.parent_differs && said.chosen.is_none());
    assert_eq!(format!("{:?}", said.request), format!("{request:?}"));
}

/// What the user didn't say is nobody's word, whatever the network has.
fn unsaid_is_nobodys(request: &Request, network: &Network) {
    let Network {
        name, id, driver, ..
    } = network.clone();
    let kept = KeptNetwork {
        network: Network {
            name,
            id,
            driver,
            internal: false,
            ipv6_enabled: false,
            dns_enabled: false,
            network_interface: None,
            subnets: Vec::new(),
            routes: Vec::new(),
            options: Default::default(),
            ipam_options: Default::default(),
            network_dns_servers: Vec::new(),
        },
        chosen: None,
    };
    let said = request.said(Some(&kept)).expect("the same driver");
    let rest = &said.request;
    assert!(rest.network.options.is_empty(), "{rest:?}");
    assert!(rest.network.parent.is_none(), "{rest:?}");
    assert!(
        rest.network.subnets.is_empty() && rest.addresses.is_empty(),
        "{rest:?}"
    );
    assert!(
        rest.default_routes.is_empty() && rest.routes.is_empty(),
        "{rest:?}"
    );
    assert!(rest.network.name_servers.is_empty(), "{rest:?}");
    assert!(
        rest.network.vrf.is_none() && rest.network.container_vrf.is_none(),
        "{rest:?}"
    );
    assert_eq!(rest.ports, request.ports);
    for text in &said.unsaid {
        assert!(text.chars().count() <= 300, "{text:?}");
        assert!(
            !text.contains(|letter: char| letter.is_control()),
            "{text:?}"
        );
    }
}
