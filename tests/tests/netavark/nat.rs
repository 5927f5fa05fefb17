//! Containers on a network behind the host, and a neighbour on the host's wire. The
//! neighbour has no route to the containers.

use std::net::UdpSocket;

use serde_json::json;
use wasmvark_tests::connection::{Connection, INTERFACE, mapping};
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::{Tcp, Udp};
use wasmvark_tests::flow::{From, cannot_connect, connect, from};
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::wasmvark::{answer_of, error_of};
use wasmvark_tests::world::World;
use wasmvark_tests::{audit, places, poll, process};

use crate::driver::Installed;

pub(crate) const NEEDS: &[Need] = &[Need::Root, Need::Netavark];

/// The drivers, and whether they masquerade without being asked.
const DRIVERS: [(&str, bool); 2] = [("bridge", true), ("ptp", false)];

/// The host's addresses on the wire, others that it has there, and the
/// neighbour's.
pub(crate) const HOST: [&str; 2] = ["198.51.100.1", "2001:db8:5::1"];
const OTHER: [&str; 2] = ["198.51.100.9", "2001:db8:5::9"];
pub(crate) const NEIGHBOUR: [&str; 2] = ["198.51.100.2", "2001:db8:5::2"];
pub(crate) const CONTAINER: [&str; 2] = ["10.77.0.2", "fd77::2"];

pub(crate) fn register(suite: &mut Suite) {
    for (driver, masquerades) in DRIVERS {
        let mut test = |name: &str, test: fn(&'static str)| {
            suite.test(format!("nat/{driver} {name}"), NEEDS, move || test(driver))
        };
        test("masquerade", masquerade).proves(driver, &["masquerade"]);
        test("outbound address", outbound).proves(driver, &["outbound_addr4", "outbound_addr6"]);
        test("ports", ports);
        test("ports said twice", said_twice);
        test("ports of one interface", one_interface).proves(driver, &["publish_interface"]);
        test("a broadcast to a published port", broadcast);
        test("internal", internal);
        let default = match masquerades {
            true => masquerades_by_default,
            false => keeps_addresses_by_default,
        };
        test("by default", default).proves(driver, &["masquerade"]);
        test("filter", filter).proves(driver, &["incoming", "outgoing"]);
        test("a firewall that is left alone", left_alone);
        test("create refuses", create_refuses);
    }
    suite.test("nat/two networks of one container", NEEDS, two_networks);
    let needs = [NEEDS, &[Need::Nft]].concat();
    suite.test("nat/flushed rules come back with a setup", &needs, flushed);
    suite.test(
        "nat/nothing leaks to a lost container",
        &needs,
        nothing_leaks,
    );
    suite
        .test("nat/isolated networks", NEEDS, isolated)
        .proves("bridge", &["isolate"]);
}

pub(crate) fn at(address: &str, port: u16) -> String {
    match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

pub(crate) fn world() -> World {
    let world = World::forwarding();
    for (netns, link, addresses) in [
        (&world.host, "p0", [HOST, OTHER].concat()),
        (&world.neighbour, "n0", NEIGHBOUR.to_vec()),
    ] {
        let commands = addresses.iter().map(|address| {
            // An IPv6 host prefers one of its addresses over the others.
            match address.contains(':') {
                true if OTHER.contains(address) => {
                    format!("addr add {address}/64 dev {link} nodad preferred_lft 0")
                }
                true => format!("addr add {address}/64 dev {link} nodad"),
                false => format!("addr add {address}/24 dev {link}"),
            }
        });
        netns.ip_batch(&[], &commands.collect::<Vec<_>>().join("\n"));
    }
    world
}

pub(crate) fn dual(driver: &str) -> Connection {
    let connection = Connection::new(&format!("wasm-{driver}"))
        .subnet("10.77.0.0/24", "10.77.0.1")
        .subnet("fd77::/64", "fd77::1")
        .ip(CONTAINER[0])
        .ip(CONTAINER[1]);
    match driver {
        "bridge" => connection.network("network_interface", "br0"),
        _ => connection.without_network("network_interface"),
    }
}

/// The neighbour sees these addresses.
#[track_caller]
pub(crate) fn seen(world: &World, addresses: [&str; 2]) {
    for (own, to) in addresses.iter().zip(NEIGHBOUR) {
        let to = at(to, 80);
        for transport in [Tcp, Udp] {
            let peer = connect(
                transport,
                from(&world.container),
                &to,
                (&world.neighbour, &to),
            );
            assert_eq!(peer.to_string(), *own, "{transport:?}");
        }
    }
}

/// It has a way to the containers, so that it answers whoever it sees.
fn lead_back(world: &World) {
    let routes = format!(
        "route add 10.77.0.0/24 via {}\nroute add fd77::/64 via {}",
        HOST[0], HOST[1]
    );
    world.neighbour.ip_batch(&[], &routes);
}

fn masquerade(driver: &'static str) {
    let world = world();
    lead_back(&world);
    let installed = Installed::example(&world, driver);
    for (value, addresses) in [("true", HOST), ("false", CONTAINER)] {
        let connection = dual(driver).option("masquerade", value);
        installed.try_out(&connection, |_| seen(&world, addresses));
    }
}

/// What isn't on a list doesn't pass, in either direction; answers do.
fn filter(driver: &'static str) {
    let world = world();
    lead_back(&world);
    let installed = Installed::example(&world, driver);
    let connection = dual(driver)
        .option("masquerade", "false")
        .option(
            "incoming",
            "tcp/80-81@198.51.100.0/24 udp/53 any@2001:db8:5::77",
        )
        .port(mapping("", 8080, 80, 1, "tcp"));
    let own = json!({"outgoing": "none"});
    let (inside, outside) = (&world.container, &world.neighbour);
    let [v4, v6] = CONTAINER;
    // The neighbour has other addresses, too, which the host knows no way to.
    let of_neighbour = |to: &str| From {
        netns: outside,
        address: Some(NEIGHBOUR[usize::from(to.starts_with('['))]),
    };
    let come_in = |transport, to: &str, server: &str| {
        connect(transport, of_neighbour(to), to, (inside, server));
    };
    installed.try_out(&connection, |_| {
        for (transport, to) in [
            (Tcp, at(v4, 80)),
            (Tcp, at(v4, 81)),
            (Udp, at(v4, 53)),
            (Udp, at(v6, 53)),
        ] {
            come_in(transport, &to, &to);
        }
        come_in(Tcp, &at(HOST[0], 8080), &at(v4, 80));
        for (transport, to) in [
            (Tcp, at(v4, 82)),
            (Udp, at(v4, 80)),
            (Tcp, at(v6, 80)),
            (Udp, at(v6, 54)),
        ] {
            cannot_connect(transport, of_neighbour(&to), &to, (inside, &to));
        }
        let out = at(NEIGHBOUR[0], 82);
        connect(Tcp, from(inside), &out, (outside, &out));
    });
    let calls: Vec<String> = installed
        .wasmvark
        .audit()
        .iter()
        .filter_map(|line| line.call.clone())
        .collect();
    let first = |call: &str| calls.iter().position(|it| it == call);
    assert!(first("firewall.drop") < first("links.set-up"), "{calls:?}");
    installed.try_out(&connection.join("options", own), |_| {
        let (to, out) = (at(v4, 80), at(NEIGHBOUR[0], 80));
        come_in(Tcp, &to, &to);
        for transport in [Tcp, Udp] {
            cannot_connect(transport, from(inside), &out, (outside, &out));
        }
    });
    let wrong = dual(driver).option("incoming", "http");
    installed.refuses(&wrong, "\"http\" is not like tcp/443");
}

fn masquerades_by_default(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    installed.try_out(&dual(driver), |_| seen(&world, HOST));
}

fn keeps_addresses_by_default(driver: &'static str) {
    let world = world();
    lead_back(&world);
    let installed = Installed::example(&world, driver);
    installed.try_out(&dual(driver), |_| seen(&world, CONTAINER));
}

fn outbound(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    let connection = dual(driver)
        .option("outbound_addr4", OTHER[0])
        .option("outbound_addr6", OTHER[1]);
    installed.try_out(&connection, |_| seen(&world, OTHER));
}

/// From the neighbour, from the host, and from the container itself; those that
/// aren't published lead nowhere.
fn ports(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    let mut connection = dual(driver).port(mapping("", 8080, 80, 1, "tcp,udp"));
    if driver == "bridge" {
        // The kernel at hand may lead bridged packets through the firewall.
        connection = connection.option("hairpin", "true");
    }
    installed.try_out(&connection, |_| {
        for (own, host) in CONTAINER.iter().zip(HOST) {
            let server = (&world.container, &*at(own, 80));
            let to = at(host, 8080);
            for transport in [Tcp, Udp] {
                for client in [&world.neighbour, &world.host, &world.container] {
                    connect(transport, from(client), &to, server);
                }
                cannot_connect(transport, from(&world.neighbour), &at(host, 8081), server);
            }
        }
        let server = (&world.container, &*at(CONTAINER[0], 80));
        for transport in [Tcp, Udp] {
            connect(transport, from(&world.host), "127.0.0.1:8080", server);
        }
    });
}

/// A container's own option goes before the network's.
fn one_interface(driver: &'static str) {
    let world = world();
    world.host.ip("link add other0 type veth peer name other1");
    let installed = Installed::example(&world, driver);
    let published = || dual(driver).port(mapping("", 8080, 80, 1, "tcp,udp"));
    let of_network = published().option("publish_interface", "p0");
    let own = published()
        .option("publish_interface", "other0")
        .join("options", json!({"publish_interface": "p0"}));
    for connection in [of_network, own] {
        installed.try_out(&connection, |_| {
            for (own, host) in CONTAINER.iter().zip(HOST) {
                let server = (&world.container, &*at(own, 80));
                let to = at(host, 8080);
                for transport in [Tcp, Udp] {
                    connect(transport, from(&world.neighbour), &to, server);
                    for client in [&world.host, &world.container] {
                        cannot_connect(transport, from(client), &to, server);
                    }
                }
            }
            let server = (&world.container, &*at(CONTAINER[0], 80));
            cannot_connect(Tcp, from(&world.host), "127.0.0.1:8080", server);
        });
    }
    let localnet = Some("sysctl.set-route-localnet");
    let lines = installed.wasmvark.audit();
    assert!(lines.iter().all(|line| line.call.as_deref() != localnet));
    let error = |interface| {
        let connection = published().option("publish_interface", interface);
        installed.netavark.setup(&connection).unwrap_err()
    };
    assert!(
        error("nowhere0").contains("publish_interface names nowhere0, which the host doesn't have")
    );
    world.host.ip("link delete other0");
}

/// Podman hands on what the user says several times, and for all addresses of a family.
fn said_twice(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    let everywhere = || dual(driver).port(mapping("", 8080, 80, 1, "tcp"));
    let twice = everywhere()
        .port(mapping("0.0.0.0", 8080, 80, 1, "tcp"))
        .port(mapping("::", 8080, 80, 1, "tcp"))
        .port(mapping("", 8080, 80, 1, "tcp"));
    installed.try_out(&twice, |_| {
        for (own, to) in CONTAINER.iter().zip(HOST) {
            let server = (&world.container, &*at(own, 80));
            connect(Tcp, from(&world.neighbour), &at(to, 8080), server);
        }
    });
    let before = world.dump();
    let different = everywhere().port(mapping("::", 8080, 81, 1, "tcp"));
    let error = installed.netavark.setup(&different).unwrap_err();
    let both = "port 8080/tcp of all addresses can't lead to the container's ports 80 and 81";
    assert!(error.contains(both), "{error}");
    world.assert_unchanged(&before);
}

/// A broadcast on the host's wire reaches a published port, too.
fn broadcast(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    let connection = dual(driver).port(mapping("", 8080, 80, 1, "udp"));
    installed.try_out(&connection, |_| {
        let server = world
            .container
            .run(|| UdpSocket::bind(at(CONTAINER[0], 80)));
        let server = server.expect("the address is there");
        let wait = Some(std::time::Duration::from_millis(200));
        server.set_read_timeout(wait).expect("it can be set");
        let client = world.neighbour.run(|| UdpSocket::bind(at(NEIGHBOUR[0], 0)));
        let client = client.expect("the address is there");
        client.set_broadcast(true).expect("it can be set");
        let heard = || {
            let sent = client.send_to(b"all", at("198.51.100.255", 8080));
            sent.expect("it can be sent");
            server.recv_from(&mut [0; 8]).is_ok()
        };
        assert!(poll::until(heard, |heard| *heard));
    });
}

/// Nothing gets out, and nothing in, whatever routes root in a container gives it. The
/// network's containers reach each other, and the host.
fn internal(driver: &'static str) {
    let world = world();
    lead_back(&world);
    let installed = Installed::example(&world, driver);
    let second = dual(driver)
        .network("internal", true)
        .container("0123456789abcdef")
        .join("static_ips", vec!["10.77.0.3", "fd77::3"]);
    let connection = dual(driver)
        .network("internal", true)
        .port(mapping("", 8080, 80, 1, "tcp"));
    let (other, outside) = (Netns::new(), Netns::new());
    let open = elsewhere(driver);
    let before = world.dump();
    let netavark = &installed.netavark;
    netavark.setup(&connection).expect("setup succeeds");
    for (connection, netns) in [(&second, &other), (&open, &outside)] {
        let done = netavark.setup_at(connection, &netns.path());
        done.expect("setup succeeds");
    }
    for netns in [&world.container, &other] {
        netns.ip_batch(
            &[],
            "route add default via 10.77.0.1\nroute add default via fd77::1",
        );
    }
    let container = &world.container;
    for (to, server) in [
        (["10.77.0.3", "fd77::3"], &other),
        (["10.77.0.1", "fd77::1"], &world.host),
        (HOST, &world.host),
    ] {
        reaches(container, to, server, true);
    }
    reaches(&world.host, CONTAINER, container, true);
    for (client, to, server) in [
        (container, NEIGHBOUR, &world.neighbour),
        (&world.neighbour, CONTAINER, container),
        (container, ["10.78.0.2", "fd78::2"], &outside),
        (&outside, CONTAINER, container),
    ] {
        reaches(client, to, server, false);
    }
    let server = (container, &*at(CONTAINER[0], 80));
    for client in [&world.neighbour, &outside] {
        cannot_connect(Tcp, from(client), &at(HOST[0], 8080), server);
    }
    netavark.teardown(&connection).expect("teardown succeeds");
    reaches(&other, NEIGHBOUR, &world.neighbour, false);
    for (connection, netns) in [(&second, &other), (&open, &outside)] {
        let done = netavark.teardown_at(connection, &netns.path());
        done.expect("teardown succeeds");
    }
    world.assert_unchanged(&before);
}

/// A container on another network of the driver, which isn't internal.
fn elsewhere(driver: &str) -> Connection {
    let connection = Connection::new(&format!("wasm-{driver}"))
        .network("id", "e".repeat(64))
        .container("fedcba9876543210")
        .subnet("10.78.0.0/24", "10.78.0.1")
        .subnet("fd78::/64", "fd78::1")
        .ip("10.78.0.2")
        .ip("fd78::2");
    match driver {
        "bridge" => connection.network("network_interface", "br1"),
        _ => connection.without_network("network_interface"),
    }
}

/// Whether a client reaches both addresses of a server: with TCP over IPv4, and with UDP
/// over IPv6.
#[track_caller]
fn reaches(client: &Netns, to: [&str; 2], server: &Netns, does: bool) {
    for (address, transport) in to.iter().zip([Tcp, Udp]) {
        let to = at(address, 7);
        match does {
            true => drop(connect(transport, from(client), &to, (server, &to))),
            false => cannot_connect(transport, from(client), &to, (server, &to)),
        }
    }
}

fn create_refuses(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    for (option, value, why) in [
        ("masquerade", "maybe", "unable to parse \"masquerade\""),
        ("outbound_addr4", "2001:db8::1", "is not an IPv4 address"),
        ("outbound_addr6", "198.51.100.9", "is not an IPv6 address"),
    ] {
        installed.refuses(&dual(driver).option(option, value), why);
    }
    let isolate = match driver {
        "bridge" => "unable to parse \"isolate\": \"maybe\" is not true, false or strict",
        _ => "unsupported wasm-ptp network option: isolate",
    };
    installed.refuses(&dual(driver).option("isolate", "maybe"), isolate);
    let check = match driver {
        "bridge" => "unable to parse \"mac_spoof_check\"",
        _ => "unsupported wasm-ptp network option: mac_spoof_check",
    };
    installed.refuses(&dual(driver).option("mac_spoof_check", "maybe"), check);
    let inside = dual(driver)
        .network("internal", true)
        .option("publish_interface", "p0");
    installed.refuses(&inside, "publish_interface is not possible with --internal");
    let unnamed = dual(driver).option("publish_interface", "");
    installed.refuses(&unnamed, "publish_interface needs the name of an interface");
    let both = dual(driver)
        .option("outbound_addr4", OTHER[0])
        .option("masquerade", "false");
    installed.refuses(&both, "can't be given with masquerade=false");
}

/// Podman asks both for the same ports, and disconnects them in any order.
fn two_networks() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let port = mapping("", 8080, 80, 1, "tcp");
    let one = dual("bridge").port(port.clone());
    let two = Connection::new("wasm-bridge")
        .network("id", "1".repeat(64))
        .network("network_interface", "br1")
        .subnet("10.78.0.0/24", "10.78.0.1")
        .option("metric", "200")
        .join("interface_name", "eth1")
        .join("static_ips", json!(["10.78.0.2"]))
        .port(port);
    let server = (&world.container, &*at(CONTAINER[0], 80));
    let to = at(HOST[0], 8080);
    installed.try_out(&one, |_| {
        installed.connect(&two);
        connect(Tcp, from(&world.neighbour), &to, server);
        installed.disconnect(&two);
        connect(Tcp, from(&world.neighbour), &to, server);
    });
    let before = world.dump();
    installed.connect(&one);
    installed.connect(&two);
    connect(Tcp, from(&world.neighbour), &to, server);
    // The ports of the network that is gone lead through the one that is left.
    installed.disconnect(&one);
    assert!(!Dump::of(&world.container).has_link(INTERFACE));
    let next = (&world.container, "10.78.0.2:80");
    connect(Tcp, from(&world.neighbour), &to, next);
    installed.disconnect(&two);
    world.assert_unchanged(&before);
}

/// A container's namespace is gone without a teardown, and what is led to its address
/// keeps coming. The host's route to it went with its link, but nothing leaves by another.
fn nothing_leaks() {
    const COUNTER: &str = "table inet seen {
        chain leaving {
            type filter hook postrouting priority 200
            oifname \"p0\" ip daddr 10.77.0.2 counter
            oifname \"p0\" ip6 daddr fd77::2 counter
        }
    }";
    let world = world();
    let installed = Installed::example(&world, "ptp");
    for address in NEIGHBOUR {
        world
            .host
            .ip(&format!("route add default via {address} dev p0"));
    }
    let netns = Netns::new();
    let lost = dual("ptp")
        .join("options", json!({"host_interface_name": "end0"}))
        .port(mapping("", 8080, 80, 1, "udp"));
    let done = installed.netavark.setup_at(&lost, &netns.path());
    done.expect("setup succeeds");
    let nft = |arguments: &[&str], input: &str| {
        let mut nft = world.host.command(places::NFT);
        let output = process::run(nft.args(arguments), input.as_bytes());
        assert_eq!(output.code, Some(0), "{output:?}");
        output.stdout
    };
    nft(&["-f", "-"], COUNTER);
    let sockets = [("198.51.100.2:0", HOST[0]), ("[2001:db8:5::2]:0", HOST[1])].map(|(own, to)| {
        let socket = world.neighbour.run(|| UdpSocket::bind(own));
        (socket.expect("the address is there"), at(to, 8080))
    });
    let send = || {
        for (socket, to) in &sockets {
            // An answer to an earlier one may be that nobody is there.
            let _ = socket.send_to(b"there", to);
        }
    };
    send();
    drop(netns);
    let has_end = poll::until(|| Dump::of(&world.host).has_link("end0"), |has| !has);
    assert!(!has_end);
    for _ in 0..20 {
        send();
    }
    let seen = nft(&["list", "table", "inet", "seen"], "");
    assert_eq!(seen.matches("counter packets 0 ").count(), 2, "{seen}");
    // It's the table that keeps them off.
    nft(
        &["flush", "chain", "inet", "wasmvark-wasm-ptp", "leaving"],
        "",
    );
    let leaks = || {
        send();
        nft(&["list", "table", "inet", "seen"], "")
    };
    let seen = poll::until(leaks, |seen| !seen.contains("counter packets 0 "));
    assert!(!seen.contains("counter packets 0 "), "{seen}");
}

/// Somebody flushes all rules; then one of two containers is set up anew, as
/// `podman network reload` does it.
fn flushed() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let one = dual("bridge").port(mapping("", 8080, 80, 1, "tcp"));
    let two = dual("bridge")
        .container("0123456789abcdef")
        .join("static_ips", json!(["10.77.0.3", "fd77::3"]));
    let other = Netns::new();
    let server = (&world.container, &*at(CONTAINER[0], 80));
    let to = at(HOST[0], 8080);
    let before = world.dump();
    installed.connect(&one);
    installed
        .netavark
        .setup_at(&two, &other.path())
        .expect("setup succeeds");
    let mut nft = world.host.command(places::NFT);
    let output = process::run(nft.args(["flush", "ruleset"]), b"");
    assert_eq!(output.code, Some(0), "{output:?}");
    cannot_connect(Tcp, from(&world.neighbour), &to, server);
    installed.disconnect(&one);
    installed.connect(&one);
    connect(Tcp, from(&world.neighbour), &to, server);
    seen(&world, HOST);
    installed.disconnect(&one);
    installed
        .netavark
        .teardown_at(&two, &other.path())
        .expect("teardown succeeds");
    world.assert_unchanged(&before);
}

/// With `firewall_driver = "none"` in containers.conf. What would keep the container from
/// something is refused.
fn left_alone(driver: &'static str) {
    let world = world();
    let installed = Installed::example(&world, driver);
    let before = world.dump();
    let run = |command: &str, connection: &Connection| {
        let mut plugin = installed.wasmvark.plugin_command(connection.driver());
        plugin.env("NETAVARK_FW", "none").arg(command);
        plugin.arg(world.container.path());
        process::run(&mut plugin, connection.for_plugin().as_bytes())
    };
    let published = dual(driver).port(mapping("", 8080, 80, 1, "tcp"));
    for connection in [published, dual(driver).network("internal", true)] {
        answer_of(&run("setup", &connection));
        let table = format!("wasmvark-{}", connection.driver());
        assert!(Dump::of(&world.host).table(&table).is_empty());
        let gateway = at("10.77.0.1", 7000);
        connect(
            Tcp,
            from(&world.container),
            &gateway,
            (&world.host, &gateway),
        );
        let lines = installed.wasmvark.audit();
        let says = |line: &&audit::Line| {
            let object = line.object.as_deref().unwrap_or_default();
            object.contains("the firewall is left alone (NETAVARK_FW=none)")
        };
        assert!(lines.iter().any(|line| says(&line)), "{lines:?}");
        let output = run("teardown", &connection);
        assert_eq!(output.code, Some(0), "{output:?}");
        world.assert_unchanged(&before);
    }
    let filtered = dual(driver).option("incoming", "tcp/80");
    let error = error_of(&run("setup", &filtered));
    assert!(error.contains("the firewall is left alone"), "{error}");
    world.assert_unchanged(&before);
}

/// Two networks of the driver, each with a container.
fn isolated() {
    let world = world();
    let installed = Installed::example(&world, "bridge");
    let other = Netns::new();
    let server = (&other, "10.78.0.2:80");
    for (first, second, passes) in [
        ("false", "false", true),
        ("true", "false", true),
        ("true", "true", false),
        ("false", "strict", false),
        ("strict", "true", false),
        ("", "false", false),
    ] {
        let one = match first {
            "" => dual("bridge"),
            first => dual("bridge").option("isolate", first),
        };
        let two = Connection::new("wasm-bridge")
            .network("id", "1".repeat(64))
            .network("network_interface", "br1")
            .subnet("10.78.0.0/24", "10.78.0.1")
            .option("isolate", second)
            .container("0123456789abcdef")
            .join("static_ips", json!(["10.78.0.2"]));
        installed.try_out(&one, |_| {
            installed
                .netavark
                .setup_at(&two, &other.path())
                .expect("setup succeeds");
            let client = from(&world.container);
            match passes {
                true => {
                    connect(Tcp, client, server.1, server);
                }
                false => cannot_connect(Tcp, client, server.1, server),
            }
            // Both still get out.
            let outside = at(NEIGHBOUR[0], 80);
            for netns in [&world.container, &other] {
                connect(Tcp, from(netns), &outside, (&world.neighbour, &outside));
            }
            installed
                .netavark
                .teardown_at(&two, &other.path())
                .expect("teardown succeeds");
        });
    }
}
