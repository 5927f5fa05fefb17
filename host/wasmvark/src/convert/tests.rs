use super::*;

/// Returns the command without its first words, and the plan.
fn planned(json: &str) -> (String, Plan) {
    let plan = plan(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let words: Vec<_> = plan.command().iter().map(|word| quoted(word)).collect();
    let command = words.join(" ");
    let command = command.trim_start_matches("podman network create -d ");
    (command.to_owned(), plan)
}

fn command(json: &str) -> String {
    planned(json).0
}

fn refused(json: &str) -> String {
    plan(json).unwrap_err().to_string()
}

/// A document of one plugin with an IPv4 subnet.
fn one(plugin: &str, more: &str, ipam: &str) -> String {
    format!(
        r#"{{"name": "n", "type": "{plugin}", {more}
            "ipam": {{"type": "host-local", "subnet": "10.1.0.0/24" {ipam}}}}}"#
    )
}

#[test]
fn default_routes_are_those_that_ipam_lists() {
    let v4 = |more: &str, ipam: &str| command(&one("macvlan", more, ipam));
    assert!(v4("", "").contains("-o no_default_route=true"));
    assert!(!v4("", r#", "routes": [{"dst": "0.0.0.0/0"}]"#).contains("default"));
    // Its own gateway is the same, another isn't.
    let same = r#", "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1", "priority": 7}]"#;
    let planned = v4("", same);
    assert!(
        planned.contains("-o metric=7") && !planned.contains("route"),
        "{planned}"
    );
    let other = r#", "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.9", "priority": 7}]"#;
    let planned = v4("", other);
    assert!(planned.contains("-o no_default_route=true"), "{planned}");
    assert!(
        planned.contains("--route 0.0.0.0/0,10.1.0.9,7"),
        "{planned}"
    );
    // A dummy has none by itself.
    assert!(!command(&one("dummy", "", "")).contains("default"));
    let routed = command(&one("dummy", "", r#", "routes": [{"dst": "0.0.0.0/0"}]"#));
    assert!(routed.contains("-o no_default_route=false"), "{routed}");
}

#[test]
fn a_default_route_of_one_family_is_a_static_one() {
    let json = r#"{"name": "n", "type": "ptp", "ipam": {"type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd01::/64"}]],
        "routes": [{"dst": "::/0"}]}}"#;
    let expected = "wasm-ptp -o no_default_route=true --disable-dns --subnet 10.1.0.0/24 --subnet fd01::/64 \
                    --route ::/0,fd01::1 n";
    assert_eq!(command(json), expected);
}

#[test]
fn a_bridge_without_gateway_is_internal_or_someone_elses() {
    let (command, plan) = planned(&one("bridge", "", ""));
    assert_eq!(
        command,
        "wasm-bridge -o parent=cni0 --internal --disable-dns --subnet 10.1.0.0/24 \
         --ip-range 10.1.0.2-10.1.0.254 n"
    );
    assert_eq!(plan.notes[0].key, "isGateway");
    let routed = r#", "routes": [{"dst": "0.0.0.0/0"}]"#;
    let (command, plan) = planned(&one("bridge", r#""ipMasq": true,"#, routed));
    assert_eq!(
        command,
        "wasm-bridge -o parent=cni0 -o mode=unmanaged --disable-dns --subnet 10.1.0.0/24 n"
    );
    let keys: Vec<_> = plan.notes.iter().map(|note| note.key.as_str()).collect();
    assert_eq!(keys, ["isGateway", "ipMasq"]);
    let (command, plan) = planned(&one("bridge", r#""promiscMode": true,"#, routed));
    assert!(!command.contains("promiscuous"), "{command}");
    assert_eq!(plan.notes[0].key, "promiscMode");
}

#[test]
fn a_bridge_masquerades_only_where_it_is_said() {
    let given = |more: &str| command(&one("bridge", more, ""));
    assert!(given(r#""isGateway": true,"#).contains("-o masquerade=false"));
    assert!(!given(r#""isGateway": true, "ipMasq": true,"#).contains("masquerade"));
    let default = given(r#""isDefaultGateway": true, "ipMasq": true,"#);
    assert_eq!(
        default,
        "wasm-bridge -o parent=cni0 -o isolate=false --disable-dns --subnet 10.1.0.0/24 n"
    );
}

#[test]
fn frames_of_a_bridge_without_tags() {
    let l2 = |more: &str| {
        let json = format!(r#"{{"name": "n", "type": "bridge", {more} "ipam": {{}}}}"#);
        planned(&json)
    };
    let (command, plan) = l2(r#""vlan": 7,"#);
    assert_eq!(
        command,
        "wasm-bridge -o parent=cni0 -o vlan=7 --ipam-driver none n"
    );
    assert_eq!(plan.notes[0].key, "preserveDefaultVlan");
    assert!(
        l2(r#""vlan": 7, "preserveDefaultVlan": false,"#)
            .1
            .notes
            .is_empty()
    );
    let trunk = r#""vlanTrunk": [{"id": 5}, {"minID": 7, "maxID": 9}],"#;
    assert!(l2(trunk).0.contains("-o trunk=5,7-9 -o native_vlan=1"));
    let alone = l2(&format!(r#"{trunk} "preserveDefaultVlan": false,"#)).0;
    assert!(
        alone.contains("-o trunk=5,7-9 ") && !alone.contains("native"),
        "{alone}"
    );
    for wrong in [
        r#""vlan": 7, "vlanTrunk": [{"id": 5}],"#,
        r#""vlanTrunk": [{"minID": 5}],"#,
        r#""vlanTrunk": [{}],"#,
        r#""hairpinMode": true, "promiscMode": true,"#,
    ] {
        let json = format!(r#"{{"name": "n", "type": "bridge", {wrong} "ipam": {{}}}}"#);
        assert!(plan_fails(&json), "{wrong}");
    }
}

fn plan_fails(json: &str) -> bool {
    plan(json).is_err()
}

#[test]
fn what_cannot_be_had_says_what_to_do() {
    for (json, why) in [
        (
            r#"{"name": "n", "type": "macvlan", "linkInContainer": true}"#,
            "the host's",
        ),
        (r#"{"name": "n", "type": "loopback"}"#, "lo"),
        (r#"{"name": "n", "plugins": []}"#, "at least one"),
        (
            r#"{"name": "n", "plugins": [{"type": "ptp"}]}"#,
            "addresses",
        ),
        (
            r#"{"name": "n", "plugins": [{"type": "bridge"}, {"type": "macvlan"}]}"#,
            "two networks",
        ),
        (
            r#"{"name": "n", "plugins": [{"type": "bridge"}, {"type": "x"}]}"#,
            "\"x\"",
        ),
        (
            r#"{"name": "n", "plugins": [{"type": "bridge"}, {}]}"#,
            "plugins[1]",
        ),
        (
            r#"{"name": "n", "type": "ipvlan", "mode": "l4"}"#,
            "l2, l3, l3s",
        ),
        (r#"[]"#, "object"),
    ] {
        let error = refused(json);
        assert!(error.contains(why), "{json}: {error}");
    }
    let outside = one("macvlan", "", r#", "rangeStart": "10.2.0.1""#);
    assert!(refused(&outside).starts_with("ipam.rangeStart: "));
    let overlap = r#"{"name": "n", "type": "macvlan", "ipam": {"type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.0.0.0/8"}]]}}"#;
    assert!(refused(overlap).contains("overlap"));
}

#[test]
fn podman_pairs_ranges_and_gateways_by_their_order() {
    let json = r#"{"name": "n", "type": "macvlan", "ipam": {"type": "host-local", "ranges": [
        [{"subnet": "10.1.0.0/24"}],
        [{"subnet": "fd01::/120", "rangeStart": "fd01::9", "gateway": "fd01::7"}]]}}"#;
    let expected = "--subnet 10.1.0.0/24 --gateway 10.1.0.1 --ip-range 10.1.0.1-10.1.0.254 \
                    --subnet fd01::/120 --gateway fd01::7 --ip-range fd01::9-fd01::ff n";
    assert!(command(json).ends_with(expected), "{}", command(json));
}

#[test]
fn a_key_is_taken_whatever_its_case() {
    let json = one(
        "bridge",
        r#""ISGATEWAY": true, "IpMasq": true, "MTU": 1400,"#,
        "",
    );
    let (command, plan) = planned(&json);
    assert!(
        command.contains("mtu=1400") && !command.contains("internal"),
        "{command}"
    );
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn each_key_that_nobody_knows_is_told_of() {
    let json = r#"{"name": "n", "disableCheck": true, "top": 1, "plugins": [
        {"type": "ptp", "in plugin": 1, "args": {"cni": {"in args": 1}, "labels": 2},
         "runtimeConfig": {"in config": 1}, "dns": {"in dns": 1}, "capabilities": {"odd": true},
         "ipam": {"type": "host-local", "in ipam": 1,
                  "ranges": [[{"subnet": "10.1.0.0/24", "in range": 1}]],
                  "routes": [{"dst": "10.9.0.0/16", "mtu": 1400, "in route": 1}]}},
        {"type": "sbr", "in sbr": 1}]}"#;
    let (_, plan) = planned(json);
    let mut keys: Vec<_> = plan.notes.iter().map(|note| note.key.as_str()).collect();
    keys.sort_unstable();
    let expected = [
        "args.cni.in args",
        "args.labels",
        "capabilities.odd",
        "dns.in dns",
        "in plugin",
        "in sbr",
        "ipam.in ipam",
        "ipam.ranges[0][0].in range",
        "ipam.routes[0].in route",
        "ipam.routes[0].mtu",
        "runtimeConfig.in config",
        "top",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn settings_of_other_links_need_a_line_in_the_grant() {
    let json = r#"{"name": "n", "plugins": [{"type": "dummy", "ipam": {"type": "static",
        "addresses": [{"address": "10.1.0.7/24"}]}}, {"type": "tuning", "sysctl": {
        "net/ipv4/conf/IFNAME/arp_filter": "1", "net.ipv4.conf.all.rp_filter": "2"}}]}"#;
    let (command, plan) = planned(json);
    assert!(
        command.contains("-o sysctl.net.ipv4.conf.IFNAME.arp_filter=1"),
        "{command}"
    );
    let lines: Vec<_> = plan
        .grants
        .iter()
        .map(|(call, reach)| format!("{call} {reach}"))
        .collect();
    assert_eq!(
        lines,
        [r#"sysctl.set { key = "container:net.ipv4.conf.all.rp_filter" }"#]
    );
    assert_eq!(plan.at_run_time[0].flags, "--network n:ip=10.1.0.7");
}

#[test]
fn bursts_are_bits_there_and_bytes_here() {
    let with = |keys: &str| {
        let json = format!(
            r#"{{"name": "n", "plugins": [{{"type": "macvlan"}}, {{"type": "bandwidth", {keys}}}]}}"#
        );
        plan(&json).map(|plan| plan.command().join(" "))
    };
    let planned = with(r#""ingressRate": 8000, "ingressBurst": 80000"#).unwrap();
    assert!(
        planned.contains("-o ingress_rate=8000 -o ingress_burst=10000 --"),
        "{planned}"
    );
    let subnets = r#""shapedSubnets": ["10.0.0.0/8", "fd00::/8"]"#;
    let rate = r#""egressRate": 8000, "egressBurst": 8000"#;
    let planned = with(&format!("{rate}, {subnets}")).unwrap();
    assert!(
        planned.contains("-o shaped_subnets=10.0.0.0/8 fd00::/8 --"),
        "{planned}"
    );
    assert!(!with(subnets).unwrap().contains("shaped_subnets"));
    let both = format!(r#"{rate}, {subnets}, "unshapedSubnets": ["10.0.0.0/8"]"#);
    assert!(with(&both).is_err());
    assert!(with(r#""egressRate": 8000"#).is_err());
    assert!(with(r#""egressBurst": 8000"#).is_err());
    assert!(
        !with(r#""egressRate": 0, "egressBurst": 0"#)
            .unwrap()
            .contains("egress")
    );
}

#[test]
fn behind_a_link_to_the_host_is_only_the_host() {
    let routes = r#", "routes": [{"dst": "10.9.0.0/16", "gw": "10.1.0.7"},
        {"dst": "10.8.0.0/16", "gw": "10.1.0.1"}]"#;
    let (command, plan) = planned(&one("ptp", "", routes));
    assert!(
        command.ends_with("--route 10.8.0.0/16,10.1.0.1 n"),
        "{command}"
    );
    assert_eq!(plan.notes[0].key, "ipam.routes[0].dst");
}
