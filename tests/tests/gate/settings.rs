//! The effects of the calls of `sysctl` and `bridge-ports`, and their undo.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::kind::Kind;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;

use crate::probe::{NAME, Probe};

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
const VLANS: &[Need] = &[Need::Root, Need::Macvlan, Need::Link(Kind::VlanBridge)];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("sysctl::of-own-and-foreign-links", NEEDS, of_links);
    suite.test("sysctl::of-links-where-read-only", NEEDS, read_only);
    suite.test("sysctl::by-name-where-read-only", NEEDS, read_only_by_name);
    suite.test("sysctl::by-name", NEEDS, by_name);
    suite.test(
        "sysctl::no-container-is-the-hosts-router",
        NEEDS,
        advertisements,
    );
    suite.test("sysctl::wrong-keys-and-values", NEEDS, wrong_keys);
    suite.test("sysctl::forwarding-stays-on", NEEDS, forwarding);
    suite.test("bridge-ports::switches", NEEDS, switches);
    suite.test("bridge-ports::vlans", VLANS, vlans);
    suite.test(
        "bridge-ports::vlans-of-foreign-ports",
        VLANS,
        vlans_of_foreign_ports,
    );
    suite.test("bridge-ports::wrong-vlans", NEEDS, wrong_vlans);
}

fn v4() -> Connection {
    Connection::v4(NAME)
}

/// All calls with a reach that covers everything.
fn grant() -> Grant {
    let links = r#"{ link = ["*", "container:*"] }"#;
    let calls = [
        "links.get",
        "links.create-macvlan",
        "links.create-bridge",
        "links.create-veth",
        "links.set-master",
        "bridge-ports.set-hairpin",
        "bridge-ports.set-isolated",
        "bridge-ports.set-learning",
        "bridge-ports.vlans",
        "bridge-ports.add-vlans",
        "bridge-ports.remove-vlans",
        "sysctl.set-autoconf",
        "sysctl.set-arp-notify",
        "sysctl.set-ndisc-notify",
        "sysctl.set-rp-filter",
        "sysctl.set-route-localnet",
        "sysctl.set-forwarding",
        "sysctl.set-accept-ra",
        "sysctl.set-accept-dad",
        "sysctl.set-disable-ipv6",
        "sysctl.set-arp-ignore",
        "sysctl.set-keep-addr-on-down",
        "sysctl.set-proxy-arp",
        "sysctl.set-proxy-ndp",
    ];
    let grant = calls
        .iter()
        .fold(Grant::nothing(), |grant, call| grant.call(call, links));
    let vlans = r#"{ link = "*", vlan = "*" }"#;
    grant
        .without("bridge-ports.add-vlans")
        .without("bridge-ports.remove-vlans")
        .call("bridge-ports.add-vlans", vlans)
        .call("bridge-ports.remove-vlans", vlans)
        .on_host()
        .call("log.write", "{}")
        .call("sysctl.enable-ip-forward", r#"{ key = "*" }"#)
        .call(
            "sysctl.set",
            r#"{ key = ["net.ipv4.conf.*.log_martians", "container:net.ipv4.*"] }"#,
        )
}

/// Each call with its setting, and the value that it's to have.
const SETTINGS: [(&str, &str, &str); 15] = [
    ("set-autoconf 0 off", "ipv6/conf/LINK/autoconf", "0"),
    ("set-arp-notify 0 on", "ipv4/conf/LINK/arp_notify", "1"),
    ("set-ndisc-notify 0 on", "ipv6/conf/LINK/ndisc_notify", "1"),
    ("set-rp-filter 0 loose", "ipv4/conf/LINK/rp_filter", "2"),
    (
        "set-route-localnet 0 on",
        "ipv4/conf/LINK/route_localnet",
        "1",
    ),
    ("set-forwarding 0 ipv4 on", "ipv4/conf/LINK/forwarding", "1"),
    ("set-forwarding 0 ipv6 on", "ipv6/conf/LINK/forwarding", "1"),
    ("set-accept-ra 0 all", "ipv6/conf/LINK/accept_ra", "2"),
    ("set-accept-dad 0 off", "ipv6/conf/LINK/accept_dad", "0"),
    ("set-arp-ignore 0 on", "ipv4/conf/LINK/arp_ignore", "1"),
    ("set-disable-ipv6 0 on", "ipv6/conf/LINK/disable_ipv6", "1"),
    (
        "set-keep-addr-on-down 0 on",
        "ipv6/conf/LINK/keep_addr_on_down",
        "1",
    ),
    ("set-proxy-arp 0 on", "ipv4/conf/LINK/proxy_arp", "1"),
    ("set-proxy-ndp 0 on", "ipv6/conf/LINK/proxy_ndp", "1"),
    ("set-rp-filter 0 strict", "ipv4/conf/LINK/rp_filter", "1"),
];

fn of_links() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let makers = [
        (
            "links.get host p0; links.create-macvlan container eth0 0 bridge",
            "eth0",
            "1",
        ),
        ("links.get host p0", "p0", "0"),
    ];
    for (make, link, handle) in makers {
        for (call, setting, value) in SETTINGS {
            let call = call.replacen(" 0", &format!(" {handle}"), 1);
            answer_of(&probe.setup(v4(), &format!("{make}; sysctl.{call}")));
            let netns = match link {
                "p0" => &world.host,
                _ => &world.container,
            };
            let setting = setting.replace("LINK", link);
            assert_eq!(Dump::of(netns).setting(&setting), Some(value), "{call}");
            probe.teardown(&v4());
        }
    }
}

/// What has its value already is a success, and what hasn't says who must set it.
fn read_only() {
    for (call, setting, value) in SETTINGS {
        let world = World::new();
        let probe = Probe::new(&world, &grant());
        let connection = v4().option("script", &format!("links.get host p0; sysctl.{call}"));
        let setup = || {
            let input = connection.for_plugin();
            probe.wasmvark.setup_read_only(NAME, input)
        };
        let file = setting.replace("LINK", "p0");
        let host = Dump::of(&world.host);
        if host.setting(&file) != Some(value) {
            let error = error_of(&setup());
            let key = format!("net.{}", file.replace('/', "."));
            let default = key.replace("p0", "default");
            let text = format!(
                "{key} must be {value} and can't be written here: root must set it on the host; a \
                 new link has the value of {default} (EROFS)"
            );
            assert!(error.contains(&text), "{error}");
            assert_eq!(Dump::of(&world.host).setting(&file), host.setting(&file));
            world.host.set(&file, value);
        }
        answer_of(&setup());
    }
}

fn read_only_by_name() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let setup = |script: &str| {
        let connection = v4().option("script", script);
        let input = connection.for_plugin();
        probe.wasmvark.setup_read_only(NAME, input)
    };
    for (call, key, who) in [
        (
            "enable-ip-forward host ipv4",
            "net.ipv4.ip_forward must be 1",
            "root must set it on the host",
        ),
        (
            "set container net.ipv4.ip_default_ttl 77",
            "net.ipv4.ip_default_ttl must be 77",
            "whoever starts the container must set it (--sysctl)",
        ),
    ] {
        let error = error_of(&setup(&format!("sysctl.{call}")));
        let text = format!("{key} and can't be written here: {who} (EROFS)");
        assert!(error.contains(&text), "{error}");
        let output = setup(&format!("?sysctl.{call}"));
        let domains = &answer_of(&output)["dns_search_domains"];
        assert!(domains.to_string().contains(".read-only"), "{domains}");
    }
    world.host.set("ipv4/ip_forward", "1");
    world.container.set("ipv4/ip_default_ttl", "77");
    world.container.set("ipv4/tcp_rmem", "4096 131072 6291456");
    answer_of(&setup(
        "sysctl.enable-ip-forward host ipv4; sysctl.set container net.ipv4.ip_default_ttl 77; \
         sysctl.set container net.ipv4.tcp_rmem 4096 131072 6291456",
    ));
}

/// No container becomes the host's router.
fn advertisements() {
    let world = World::new();
    let calls = ["links.create-bridge", "links.create-veth"];
    let on_own = r#"{ link = "end0" }"#;
    let grant = |accept: &str| {
        Grant::of(&calls)
            .call("links.create-macvlan", r#"{ link = ["p0", "own0"] }"#)
            .on_host()
            .call("links.get", r#"{ link = "p0" }"#)
            .call("links.set-mtu", "{}")
            .call("sysctl.set-accept-ra", accept)
    };
    let connection = || {
        v4().network("network_interface", "br0").join(
            "options",
            serde_json::json!({"host_interface_name": "end0"}),
        )
    };
    let probe = Probe::new(&world, &grant("{}"));
    let accepts = |link: &str| {
        let host = Dump::of(&world.host);
        let setting = host.setting(&format!("ipv6/conf/{link}/accept_ra"));
        setting.map(str::to_owned)
    };
    let make = "links.create-veth eth0; links.create-bridge shared br0; links.get host p0; \
        links.create-macvlan host own0 3 bridge";
    answer_of(&probe.setup_as_planned(connection(), make));
    for link in ["end0", "br0", "own0"] {
        assert_eq!(accepts(link).as_deref(), Some("0"), "{link}");
    }
    probe.teardown(&connection());
    // The container has its routers.
    let inside = "links.create-veth eth0; sysctl.set-accept-ra 0 all";
    answer_of(&probe.setup_as_planned(connection(), inside));
    probe.teardown(&connection());
    for (make, call) in [
        ("links.create-veth eth0", "sysctl.set-accept-ra 1 all"),
        (
            "links.create-bridge shared br0",
            "sysctl.set-accept-ra 0 unless-forwarding",
        ),
        // The kernel makes the settings anew.
        ("links.create-veth eth0 mtu=1279", "links.set-mtu 1 1500"),
    ] {
        let error = probe.setup_fails(connection(), &format!("{make}; {call}"));
        assert!(error.contains("(EBUSY)"), "{error}");
    }
    probe.grant(&grant(on_own));
    let named = "links.create-veth eth0; sysctl.set-accept-ra 1 all";
    answer_of(&probe.setup_as_planned(connection(), named));
    assert_eq!(accepts("end0").as_deref(), Some("2"));
    probe.teardown(&connection());
}

fn by_name() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "sysctl.set host net.ipv4.conf.p0.log_martians 1; \
        sysctl.set container net.ipv4.ip_default_ttl 77";
    answer_of(&probe.setup(v4(), script));
    let ttl = || {
        world
            .container
            .run(|| std::fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl").unwrap())
    };
    let host = Dump::of(&world.host);
    assert_eq!(host.setting("ipv4/conf/p0/log_martians"), Some("1"));
    assert_eq!(ttl(), "77\n");
    probe.teardown(&v4());
    assert_eq!(ttl(), "64\n");
    // A pattern's star is one part.
    for beyond in [
        "sysctl.set host net.ipv4.ip_default_ttl 77",
        "sysctl.set container net.ipv4.conf.lo.log_martians 1",
    ] {
        let error = probe.setup_fails(v4(), beyond);
        assert!(error.contains("is denied"), "{error}");
    }
}

fn wrong_keys() {
    let world = World::new();
    let probe = Probe::new(
        &world,
        &Grant::nothing().call("sysctl.set", r#"{ key = "*" }"#),
    );
    for (script, text) in [
        (
            "sysctl.set host kernel.panic 1",
            "can't be the name of a kernel setting",
        ),
        (
            "sysctl.set host net.//.//.kernel.panic 1",
            "can't be the name",
        ),
        ("sysctl.set host net.ipv4.nothing 1", "ENOENT"),
        ("sysctl.set host net.ipv4.ip_default_ttl many", "EINVAL"),
    ] {
        let error = probe.setup_fails(v4(), script);
        assert!(error.contains(text), "{error}");
    }
    // What has the value already needs no write.
    answer_of(&probe.setup(v4(), "sysctl.set host net.ipv4.ip_default_ttl 64"));
    probe.teardown(&v4());
}

fn forwarding() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let script = "sysctl.enable-ip-forward host ipv4; sysctl.enable-ip-forward host ipv6";
    let is_on = || {
        let dump = Dump::of(&world.host);
        let settings = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"];
        settings.map(|setting| dump.setting(setting) == Some("1"))
    };
    assert_eq!(is_on(), [false, false]);
    answer_of(&probe.setup(v4(), script));
    assert_eq!(is_on(), [true, true]);
    // Others may rely on it by now.
    let output = probe.wasmvark.teardown(NAME, v4().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(is_on(), [true, true]);
}

fn switches() {
    let world = World::new();
    let lay = "link add br7 type bridge\nlink set p0 master br7";
    world.host.ip_batch(&[], lay);
    let probe = Probe::new(&world, &grant());
    let set = "bridge-ports.set-hairpin PORT on; bridge-ports.set-isolated PORT on; \
        bridge-ports.set-learning PORT off";
    let own = "links.create-bridge shared br9; links.create-veth - host-name=end0; \
        links.set-master 2 0;";
    let foreign = "links.get host p0;";
    for (make, handle, port) in [(own, "2", "end0"), (foreign, "0", "p0")] {
        let script = [make, &set.replace("PORT", handle)].concat();
        answer_of(&probe.setup(v4(), &script));
        let dump = Dump::of(&world.host);
        for (field, on) in [("hairpin", true), ("isolated", true), ("learning", false)] {
            assert_eq!(*dump.port_data(port, field), on, "{port} {field}");
        }
        probe.teardown(&v4());
    }
    let error = probe.setup_fails(v4(), "links.get host x0; bridge-ports.set-isolated 0 on");
    assert!(error.contains("EOPNOTSUPP"), "{error}");
}

fn vlans() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    let make = "links.create-bridge shared br9 vlan-filtering=on; \
        links.create-veth - host-name=end0; links.set-master 2 0;";
    let script = "bridge-ports.remove-vlans 2 1 4094; bridge-ports.add-vlans 2 7 7 pvid untagged; \
        bridge-ports.add-vlans 2 100 102; bridge-ports.add-vlans 0 7 7; bridge-ports.vlans 2 tell";
    let output = probe.setup(v4(), &[make, script].concat());
    answer_of(&output);
    for text in [
        "first: 7, last: 7, pvid: true, untagged: true",
        "first: 100, last: 102, pvid: false, untagged: false",
    ] {
        assert!(output.stderr.contains(text), "{text}: {}", output.stderr);
    }
    let vlans = Dump::of(&world.host).vlans();
    assert_eq!(
        vlans,
        [
            "br9 1 pvid untagged",
            "br9 7",
            "end0 7 pvid untagged",
            "end0 100",
            "end0 101",
            "end0 102"
        ]
    );
    probe.teardown(&v4());
}

/// A foreign port has its own again afterwards.
fn vlans_of_foreign_ports() {
    let world = World::new();
    // With an address of its own: one that it took from its port is now the
    // port's entry and now its own.
    let lay = "link add br7 address 02:00:00:00:00:b7 type bridge vlan_filtering 1\n\
               link set p0 master br7";
    world.host.ip_batch(&[], lay);
    let probe = Probe::new(&world, &grant());
    let script =
        "links.get host p0; bridge-ports.remove-vlans 0 1 10; bridge-ports.add-vlans 0 5 9";
    answer_of(&probe.setup(v4(), script));
    let vlans = Dump::of(&world.host).vlans();
    assert_eq!(
        vlans,
        [
            "br7 1 pvid untagged",
            "p0 5",
            "p0 6",
            "p0 7",
            "p0 8",
            "p0 9"
        ]
    );
    probe.teardown(&v4());
}

fn wrong_vlans() {
    let world = World::new();
    let probe = Probe::new(&world, &grant());
    for (call, text) in [
        ("add-vlans 0 0 1", "0 to 1 is no range of VLANs"),
        ("add-vlans 0 9 8", "9 to 8 is no range of VLANs"),
        ("remove-vlans 0 1 4095", "1 to 4095 is no range of VLANs"),
        ("add-vlans 0 7 8 pvid", "only one VLAN can be the pvid"),
    ] {
        let error = probe.setup_fails(v4(), &format!("links.get host p0; bridge-ports.{call}"));
        assert!(error.contains(text), "{error}");
    }
}
