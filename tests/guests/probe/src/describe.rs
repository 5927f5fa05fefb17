//! What calls return, as text: of lists that are long, no more than tests look at.

use wasmvark_guest::offloads::Feature;
use wasmvark_guest::routes::RouteInfo;
use wasmvark_guest::rules::RuleInfo;

/// Names.
pub(crate) fn texts(names: &[String]) -> String {
    names.join(" ")
}

/// Bytes that may be missing.
pub(crate) fn bytes(value: Option<&[u8]>) -> String {
    format!("{:?}", value.map(String::from_utf8_lossy))
}

/// Each feature as `NAME=on`, with a `!` where it can't be changed.
pub(crate) fn features(features: &[Feature]) -> String {
    let features = features.iter().map(|feature| {
        let value = if feature.on { "on" } else { "off" };
        let fixed = if feature.changeable { "" } else { "!" };
        format!("{}={value}{fixed}", feature.name)
    });
    features.collect::<Vec<_>>().join(" ")
}

/// Routes as `ip route` shows them, with all that there is.
pub(crate) fn route_infos(routes: &[RouteInfo]) -> String {
    let routes: Vec<_> = routes.iter().map(route).collect();
    routes.join(", ")
}

fn route(info: &RouteInfo) -> String {
    let RouteInfo {
        route,
        options,
        protocol,
    } = info;
    let mut words = vec![route.destination.clone()];
    let mut word = |key: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{key} {value}")));
    };
    word("kind", Some(format!("{:?}", route.kind)));
    word("via", route.gateway.clone());
    word("dev", options.link.clone());
    word("metric", route.metric.map(|metric| metric.to_string()));
    word("table", options.table.map(|table| table.to_string()));
    word("src", options.source.clone());
    word("scope", options.scope.map(|scope| format!("{scope:?}")));
    word("onlink", options.on_link.then(|| "on".to_owned()));
    word("proto", Some(protocol.to_string()));
    for hop in &options.next_hops {
        word(
            "hop",
            Some(format!("{:?} {:?} {}", hop.gateway, hop.link, hop.weight)),
        );
    }
    words.join(" ")
}

/// Rules as a script writes them, with the version and who made them.
pub(crate) fn rule_infos(rules: &[RuleInfo]) -> String {
    let rules: Vec<_> = rules.iter().map(rule).collect();
    rules.join(", ")
}

fn rule(info: &RuleInfo) -> String {
    let RuleInfo { rule, protocol } = info;
    let mut words = vec![rule.priority.to_string(), rule.table.to_string()];
    let mark = rule
        .mark
        .map(|mark| format!("{},{}", mark.value, mark.mask));
    for (key, value) in [
        ("source", &rule.source),
        ("destination", &rule.destination),
        ("incoming-link", &rule.incoming_link),
        ("outgoing-link", &rule.outgoing_link),
        ("mark", &mark),
    ] {
        words.extend(value.as_ref().map(|value| format!("{key}={value}")));
    }
    words.extend(rule.version.map(|version| format!("{version:?}")));
    words.push(format!("proto {protocol}"));
    words.join(" ")
}
