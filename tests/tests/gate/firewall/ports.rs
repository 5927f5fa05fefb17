//! `firewall.publish`.

use std::net::UdpSocket;
use std::time::Duration;

use wasmvark_tests::connection::mapping;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::{Tcp, Udp};
use wasmvark_tests::flow::{From, cannot_connect, connect, from};
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::patience;
use wasmvark_tests::poll;
use wasmvark_tests::wasmvark::error_of;
use wasmvark_tests::world::World;

use super::NEEDS;
use super::site::{
    Container, HOST, NEIGHBOUR, TABLE, assert_clean, at, filter_bridged, grant, id, nft, world,
};
use crate::probe::Probe;

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::publish-{name}"), NEEDS, test);
    test("leads-there-from-everywhere", everywhere);
    test(
        "leads-there-through-filtered-bridges",
        everywhere_through_filtered_bridges,
    );
    test("on-one-address", on_one_address);
    test("through-one-interface", through_one_interface);
    test("through-an-interface-that-is-there", interface_is_there);
    test("leaves-other-ports-alone", other_ports);
    test("ranges-and-sctp", ranges);
    test("with-two-networks", two_networks);
    test("keeps-loopback-addresses-to-the-host", loopback);
    test("closes-loopback-addresses-with-the-last-port", closed);
    test("takes-no-port-of-another", taken);
    test("takes-the-port-of-a-lost-container", lost);
    test("goes-with-its-connections", connections);
    test("leads-udp-that-passed-by-before", udp_before);
}

pub(super) fn publishing() -> Grant {
    grant().call("firewall.publish", "{}")
}

/// A container that asks for a port, and the script that publishes it.
fn with_port(network: u8, number: u8, host_port: u16) -> (Container, String) {
    let mut container = Container::new(network, number);
    container.connection = container
        .connection
        .port(mapping("", host_port, 80, 1, "tcp,udp"));
    let script = publish(
        &container,
        &format!("{host_port}:80/tcp {host_port}:80/udp"),
    );
    (container, script)
}

/// The lines that publish ports for both addresses of a container.
pub(super) fn publish(container: &Container, ports: &str) -> String {
    let [v4, v6] = container.addresses();
    format!(
        "firewall.publish 0 {v4} {ports}; sysctl.set-route-localnet 0 on; \
         firewall.publish 0 {v6} {ports}"
    )
}

/// Connects with TCP and UDP to a port at an address, behind which port 80 of
/// one of a container's addresses should be; returns whom it sees.
#[track_caller]
fn both(client: &Netns, to: &str, port: u16, container: &Container) -> String {
    let own = container.addresses()[usize::from(to.contains(':'))].clone();
    let peers = [Tcp, Udp].map(|transport| {
        let server = (&container.netns, &*at(&own, 80));
        connect(transport, from(client), &at(to, port), server)
    });
    assert_eq!(peers[0], peers[1]);
    peers[0].to_string()
}

#[track_caller]
fn neither(client: From<'_>, to: &str, port: u16, container: &Container) {
    let own = container.addresses()[usize::from(to.contains(':'))].clone();
    for transport in [Tcp, Udp] {
        let server = (&container.netns, &*at(&own, 80));
        cannot_connect(transport, client, &at(to, port), server);
    }
}

fn everywhere() {
    from_everywhere(false);
}

fn everywhere_through_filtered_bridges() {
    from_everywhere(true);
}

fn from_everywhere(bridged_are_filtered: bool) {
    let world = world();
    if !filter_bridged(&world, bridged_are_filtered) {
        println!("this kernel has no br_netfilter; `just test-vm` may have");
        return;
    }
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let (one, script) = with_port(1, 2, 8080);
    let two = Container::new(1, 3);
    // Inside a bridge, packets to oneself leave where they came in.
    let on = if bridged_are_filtered { "on" } else { "off" };
    one.up(
        &probe,
        &format!("bridge-ports.set-hairpin 2 {on}; {script}"),
    );
    two.up(&probe, "");
    let gateways = ["10.97.0.1", "fd96:1::1"];
    for address in HOST {
        let neighbour = both(&world.neighbour, address, 8080, &one);
        assert!(NEIGHBOUR.contains(&&*neighbour), "{neighbour}");
        assert_eq!(both(&world.host, address, 8080, &one), address);
    }
    for address in HOST.into_iter().chain(gateways) {
        // Containers of the network: another one, and itself.
        for client in [&two.netns, &one.netns] {
            let seen = both(client, address, 8080, &one);
            assert!(gateways.contains(&&*seen), "{seen}");
        }
    }
    assert_eq!(both(&world.host, "127.0.0.1", 8080, &one), gateways[0]);
    assert_eq!(both(&world.host, "127.7.7.7", 8080, &one), gateways[0]);
    // Containers of another network.
    let other = Container::new(2, 2);
    other.up(&probe, "");
    for (address, own) in HOST.iter().zip(other.addresses()) {
        assert_eq!(both(&other.netns, address, 8080, &one), own);
    }
    for container in [&one, &other, &two] {
        container.down(&probe);
    }
    assert_clean(&probe, &before);
}

fn on_one_address() {
    let world = world();
    world.host.ip_batch(
        &[],
        "addr add 198.51.100.9/24 dev p0\naddr add 2001:db8:5::9/64 dev p0 nodad",
    );
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let mut container = Container::new(1, 2);
    let addresses = ["198.51.100.9", "2001:db8:5::9", "127.0.0.1"];
    let mut ports = Vec::new();
    for (address, port) in addresses.into_iter().zip([8080, 8080, 8081]) {
        let asked = mapping(address, port, 80, 1, "tcp,udp");
        container.connection = container.connection.port(asked);
        ports.extend(["tcp", "udp"].map(|protocol| format!("{address}@{port}:80/{protocol}")));
    }
    container.up(&probe, &publish(&container, &ports.join(" ")));
    for address in &addresses[..2] {
        both(&world.neighbour, address, 8080, &container);
        both(&world.host, address, 8080, &container);
    }
    both(&world.host, "127.0.0.1", 8081, &container);
    for address in HOST {
        neither(from(&world.neighbour), address, 8080, &container);
        neither(from(&world.host), address, 8081, &container);
    }
    container.down(&probe);
    assert_clean(&probe, &before);
}

/// Services of the host, and traffic that only passes it, are as before.
/// Another wire of the host, with a neighbour there.
fn another_wire(world: &World) -> Netns {
    let other = Netns::new();
    world.host.ip("link add q0 type veth peer name m0");
    world
        .host
        .ip(&format!("link set m0 netns {}", other.path().display()));
    world.host.ip_batch(
        &[],
        "addr add 203.0.113.1/24 dev q0\naddr add 2001:db8:6::1/64 dev q0 nodad\nlink set q0 up",
    );
    other.ip_batch(
        &[],
        "addr add 203.0.113.2/24 dev m0\naddr add 2001:db8:6::2/64 dev m0 nodad\nlink set m0 up\n\
         route add default via 203.0.113.1\nroute add default via 2001:db8:6::1",
    );
    other
}

/// Two containers have the same port, each on one interface. Neither the host itself nor
/// containers reach them there.
fn through_one_interface() {
    let world = world();
    let other = another_wire(&world);
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let mut containers = Vec::new();
    for (number, interface, at) in [(2, "p0", ""), (3, "q0", "203.0.113.1")] {
        let (mut container, mut script) = with_port(1, number, 8080);
        let mut own = container.connection.clone();
        own = own.option("publish_interface", interface);
        if !at.is_empty() {
            own = own.port(mapping(at, 8081, 80, 1, "tcp,udp"));
            let ports = format!("{at}@8081:80/tcp {at}@8081:80/udp");
            script = format!("{script}; {}", publish(&container, &ports));
        }
        container.connection = own;
        container.up(&probe, &script);
        containers.push(container);
    }
    let [one, two] = [&containers[0], &containers[1]];
    for address in HOST {
        both(&world.neighbour, address, 8080, one);
        both(&other, address, 8080, two);
        for client in [&world.host, &one.netns, &two.netns] {
            for container in [one, two] {
                neither(from(client), address, 8080, container);
            }
        }
    }
    neither(from(&world.host), "127.0.0.1", 8080, one);
    both(&other, "203.0.113.1", 8081, two);
    neither(from(&other), HOST[0], 8081, two);
    two.down(&probe);
    neither(from(&other), HOST[0], 8080, one);
    both(&world.neighbour, HOST[0], 8080, one);
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn interface_is_there() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    world.host.ip("link add home0 type bridge");
    world
        .host
        .ip("link add port0 master home0 type veth peer name port1");
    for (interface, at, why) in [
        (
            "nowhere0",
            "",
            "publish_interface names nowhere0, which the host doesn't have",
        ),
        ("port0", "", "port0 is a port of the bridge home0"),
        ("p0", "127.0.0.1", "is at a loopback address"),
        ("a/b", "", "the option publish_interface is not valid"),
    ] {
        let mut container = Container::new(1, 2);
        let port = mapping(at, 8080, 80, 1, "tcp");
        let connection = container.connection.option("publish_interface", interface);
        container.connection = connection.port(port);
        let at = if at.is_empty() {
            String::new()
        } else {
            format!("{at}@")
        };
        let script = publish(&container, &format!("{at}8080:80/tcp"));
        let error = error_of(&container.try_up(&probe, &script));
        assert!(error.contains(why), "{error}");
    }
    world.host.ip("link delete home0");
    world.host.ip("link delete port0");
    assert_clean(&probe, &before);
}

fn other_ports() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let (one, script) = with_port(1, 2, 8080);
    one.up(&probe, &script);
    for address in HOST {
        let server = at(address, 8081);
        for transport in [Tcp, Udp] {
            let host = (&world.host, &*server);
            connect(transport, from(&world.neighbour), &server, host);
            connect(transport, from(&one.netns), &server, host);
        }
    }
    // ::1 is the host's own, also with this port.
    for transport in [Tcp, Udp] {
        let itself = at("::1", 8080);
        connect(
            transport,
            from(&world.host),
            &itself,
            (&world.host, &itself),
        );
    }
    // To others through the host, with this port.
    for (address, own) in NEIGHBOUR.iter().zip(one.addresses()) {
        let server = at(address, 8080);
        let neighbour = (&world.neighbour, &*server);
        let seen = connect(Tcp, from(&one.netns), &server, neighbour);
        assert_eq!(seen.to_string(), own);
    }
    one.down(&probe);
}

fn ranges() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let mut container = Container::new(1, 2);
    for asked in [
        mapping("", 9000, 79, 3, "tcp"),
        mapping("0.0.0.0", 5000, 5000, 1, "sctp"),
        mapping("", 20000, 20000, 2000, "udp"),
    ] {
        container.connection = container.connection.port(asked);
    }
    let ports = "9000-9002:79/tcp 0.0.0.0@5000:5000/sctp 20000-21999:20000/udp";
    container.up(&probe, &publish(&container, ports));
    let [v4, v6] = container.addresses();
    for (address, own) in HOST.iter().zip([&v4, &v6]) {
        for (transport, port, inside) in [
            (Tcp, 9000, 79),
            (Tcp, 9002, 81),
            (Udp, 20000, 20000),
            (Udp, 21999, 21999),
        ] {
            let server = (&container.netns, &*at(own, inside));
            connect(
                transport,
                from(&world.neighbour),
                &at(address, port),
                server,
            );
        }
        let next = (&container.netns, &*at(own, 82));
        cannot_connect(Tcp, from(&world.neighbour), &at(address, 9003), next);
    }
    // No SCTP socket is to be had everywhere, so it's only listed: for IPv4, and
    // by its number where no /etc/protocols has a name for that.
    let is_sctp = |object: &String| {
        let keys = ["\"sctp\",5000", "132,5000"];
        keys.iter().any(|key| object.contains(key))
    };
    let listed: Vec<String> = Dump::of(&world.host)
        .table(TABLE)
        .iter()
        .map(ToString::to_string)
        .filter(is_sctp)
        .collect();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(listed[0].contains("published4"), "{listed:?}");
    container.down(&probe);
    assert_clean(&probe, &before);
}

/// A container on two networks, whose default route leads through one, is
/// reached through both. Answers then come in where the host's filter for
/// reverse paths doesn't expect them, unless it's loose there.
fn two_networks() {
    let world = world();
    let grant = publishing().call("sysctl.set-rp-filter", r#"{ link = "container:*" }"#);
    let probe = Probe::new(&world, &grant);
    let before = Dump::of(&world.host);
    let (first, script) = with_port(1, 2, 8080);
    let (mut second, _) = with_port(2, 2, 8081);
    first.up(&probe, &format!("{script}; sysctl.set-rp-filter 0 loose"));
    // The same container, with another interface, and no second default route.
    second.netns = Netns::open(&first.netns.path());
    second.connection = second
        .connection
        .container(&id(1, 2))
        .join("interface_name", "eth1");
    let [v4, v6] = second.addresses();
    let joined = format!(
        "links.create-bridge shared -; addresses.add 0 10.98.0.1/16; addresses.add 0 fd96:2::1/64; \
         links.set-up 0; links.create-veth -; links.set-master 2 0; links.set-up 2; \
         addresses.add 1 {v4}/16; addresses.add 1 {v6}/64; links.set-up 1; \
         sysctl.set-rp-filter 0 loose; {}",
        publish(&second, "8081:80/tcp 8081:80/udp")
    );
    second.up_with(&probe, &joined);
    for address in HOST {
        both(&world.neighbour, address, 8080, &first);
        both(&world.neighbour, address, 8081, &second);
        both(&world.host, address, 8081, &second);
    }
    second.down(&probe);
    // As Podman asks for it: the same ports for all networks of a container.
    let again = "8080:80/tcp 8080:80/udp 8081:80/tcp";
    second.connection = second
        .connection
        .port(mapping("", 8080, 80, 1, "tcp,udp"))
        .port(mapping("", 8081, 80, 1, "tcp"));
    second.up_with(&probe, &joined.replace("8081:80/tcp 8081:80/udp", again));
    both(&world.neighbour, HOST[0], 8080, &first);
    second.down(&probe);
    both(&world.neighbour, HOST[0], 8080, &first);
    first.down(&probe);
    assert_clean(&probe, &before);
}

/// Addresses that only the host's own packets may have.
/// The bridge stays for a container without ports, which nothing would keep off
/// the host's loopback addresses any more.
fn closed() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let plain = Container::new(1, 2);
    plain.up(&probe, "");
    let publishers = [(3, 8080), (4, 8081)].map(|(number, port)| {
        let (container, script) = with_port(1, number, port);
        container.up(&probe, &script);
        container
    });
    let is_open = || {
        let host = Dump::of(&world.host);
        host.setting("ipv4/conf/br1/route_localnet") == Some("1")
    };
    assert!(is_open());
    publishers[0].down(&probe);
    assert!(is_open());
    publishers[1].down(&probe);
    assert!(!is_open());
    plain.down(&probe);
}

fn loopback() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let mut container = Container::new(1, 2);
    container.connection = container
        .connection
        .port(mapping("127.0.0.1", 8080, 80, 1, "tcp,udp"));
    let ports = "127.0.0.1@8080:80/tcp 127.0.0.1@8080:80/udp";
    container.up(&probe, &publish(&container, ports));
    let [own, _] = container.addresses();
    let inside = (&container.netns, &*at(&own, 80));
    let published = at("127.0.0.1", 8080);
    both(&world.host, "127.0.0.1", 8080, &container);
    // They send to the host what only the host may send.
    route_loopback(&world.neighbour, "n0", HOST[0]);
    route_loopback(&container.netns, "eth0", "10.97.0.1");
    container.netns.ip("addr add 127.0.0.5/32 dev eth0");
    let to_host = at("10.97.0.1", 7);
    let service = at("127.0.0.1", 7);
    let host = bind(&world.host, &to_host);
    let liar = bind(&container.netns, &at("127.0.0.5", 0));
    for transport in [Tcp, Udp] {
        cannot_connect(transport, from(&world.neighbour), &published, inside);
        cannot_connect(transport, from(&container.netns), &published, inside);
        let server = (&world.host, &*service);
        cannot_connect(transport, from(&container.netns), &service, server);
    }
    // Strict filters for reverse paths keep this off, too.
    world.host.set("ipv4/conf/all/rp_filter", "0");
    assert!(!hears(&host, &liar, &to_host));
    // It's the table that keeps them off.
    nft(
        &world.host,
        "flush chain inet wasmvark-probe guard\n\
         flush chain inet wasmvark-probe prerouting\n\
         add rule inet wasmvark-probe prerouting fib daddr type local jump published\n",
    );
    for transport in [Tcp, Udp] {
        connect(transport, from(&world.neighbour), &published, inside);
        let server = (&world.host, &*service);
        connect(transport, from(&container.netns), &service, server);
    }
    assert!(hears(&host, &liar, &to_host));
    container.down(&probe);
}

/// Has a namespace send packets for 127.0.0.0/8 to another.
fn route_loopback(netns: &Netns, link: &str, gateway: &str) {
    netns.ip_batch(
        &[],
        &format!(
            "addr del 127.0.0.1/8 dev lo\nroute add 127.0.0.0/8 via {gateway} dev {link} onlink"
        ),
    );
    netns.run(|| {
        let setting = format!("/proc/sys/net/ipv4/conf/{link}/route_localnet");
        std::fs::write(setting, "1").unwrap();
    });
}

fn taken() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let (one, script) = with_port(1, 2, 8080);
    let (two, second) = with_port(1, 3, 8080);
    one.up(&probe, &script);
    let with_one = Dump::of(&world.host);
    let error = error_of(&two.try_up(&probe, &second));
    for word in ["firewall.publish", "port 8080/tcp is taken", "EEXIST"] {
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(Dump::of(&world.host).table(TABLE), with_one.table(TABLE));
    both(&world.neighbour, HOST[0], 8080, &one);
    one.down(&probe);
    assert_clean(&probe, &before);
    two.up(&probe, &second);
    both(&world.neighbour, HOST[0], 8080, &two);
    two.down(&probe);
    assert_clean(&probe, &before);
}

/// A container's namespace is gone without a teardown.
fn lost() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let (one, script) = with_port(1, 2, 8080);
    one.up(&probe, &script);
    let (two, script) = with_port(2, 2, 8080);
    let error = error_of(&two.try_up(&probe, &script));
    assert!(error.contains("port 8080/tcp is taken"), "{error}");
    drop(one);
    up_once_gone(&two, &probe, &script);
    both(&world.neighbour, HOST[0], 8080, &two);
    two.down(&probe);
    assert_clean(&probe, &before);
    // The same with its address, under another port.
    let (one, script) = with_port(1, 2, 8080);
    one.up(&probe, &script);
    drop(one);
    let (mut two, script) = with_port(1, 2, 8081);
    two.connection = two.connection.container(&id(1, 9));
    up_once_gone(&two, &probe, &script);
    both(&world.neighbour, HOST[0], 8081, &two);
    two.down(&probe);
    assert_clean(&probe, &before);
}

/// Connects a container once the namespace of another one is gone. A process that another
/// test has just forked still has it for a moment.
fn up_once_gone(end: &Container, probe: &Probe<'_>, script: &str) {
    let output = poll::until(
        || end.try_up(probe, script),
        |output| output.code == Some(0),
    );
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// What the host tracks of connections to a container's ports.
fn tracked(netns: &Netns) -> Vec<String> {
    let table = netns.run(|| std::fs::read_to_string("/proc/thread-self/net/nf_conntrack"));
    let lines = table.expect("connections are listed");
    lines.lines().map(str::to_owned).collect()
}

fn connections() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let (one, first) = with_port(1, 2, 8080);
    let (two, second) = with_port(1, 3, 8081);
    one.up(&probe, &first);
    two.up(&probe, &second);
    for address in HOST {
        both(&world.neighbour, address, 8080, &one);
        both(&world.neighbour, address, 8081, &two);
    }
    let of = |port: &str| {
        let lines = tracked(&world.host);
        let its = lines.iter().filter(|line| line.contains(port));
        its.count()
    };
    assert!(of("dport=8080") >= 4);
    let others = of("dport=8081");
    assert!(others >= 4);
    one.down(&probe);
    assert_eq!(of("dport=8080"), 0);
    assert_eq!(of("dport=8081"), others);
    two.down(&probe);
    assert_eq!(of("dport=8081"), 0);
}

fn udp_before() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    // The kernel keeps track of connections where some rule needs it.
    let (other, another) = with_port(2, 2, 8081);
    other.up(&probe, &another);
    let (one, script) = with_port(1, 2, 8080);
    for (number, address) in HOST.iter().enumerate() {
        let caller = bind(&world.neighbour, &at(NEIGHBOUR[number], 40000));
        let to = at(address, 8080);
        let host = bind(&world.host, &to);
        assert!(hears(&host, &caller, &to));
        one.up(&probe, &script);
        let server = bind(&one.netns, &at(&one.addresses()[number], 80));
        assert!(hears(&server, &caller, &to), "{address}");
        one.down(&probe);
        assert!(hears(&host, &caller, &to), "{address}");
    }
    other.down(&probe);
}

fn bind(netns: &Netns, address: &str) -> UdpSocket {
    netns.run(|| UdpSocket::bind(address)).unwrap()
}

/// Whether what one sends to an address comes to another.
fn hears(socket: &UdpSocket, caller: &UdpSocket, to: &str) -> bool {
    let wait = patience::of(Duration::from_millis(300));
    socket.set_read_timeout(Some(wait)).unwrap();
    (0..10).any(|_| {
        caller.send_to(b"there", to).unwrap();
        socket.recv(&mut [0; 8]).is_ok()
    })
}
