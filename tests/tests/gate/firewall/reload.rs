//! The rules that `wasmvark reload` restores, and those that it leaves to others.

use wasmvark_tests::connection::mapping;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::flow::Transport::Tcp;
use wasmvark_tests::flow::{cannot_connect, connect, from};
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::process::Output;

use super::NEEDS;
use super::ports::{publish, publishing};
use super::site::{Container, HOST, TABLE, assert_clean, at, nft, world};
use super::traffic::{both, filtering};
use crate::probe::Probe;

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::reload-{name}"), NEEDS, test);
    test("keeps-the-order-of-rules", order);
    test("takes-no-port-of-another", taken);
    test("leaves-what-is-torn-down", torn_down);
    test("needs-no-driver", no_driver);
    test("leads-udp-that-passed-by-meanwhile", udp_meanwhile);
}

fn reload(probe: &Probe<'_>) -> Output {
    probe.wasmvark.administer(&["reload"])
}

#[track_caller]
fn reloads(probe: &Probe<'_>, summary: &str) {
    let output = reload(probe);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.ends_with(summary), "{output:?}");
}

/// Removes a container's rules from a chain that match a word.
fn remove_rules(netns: &Netns, chain: &str, word: &str) {
    let mut nft_list = netns.command(wasmvark_tests::places::NFT);
    let list = ["--handle", "list", "chain", "inet", TABLE, chain];
    let output = wasmvark_tests::process::run(nft_list.args(list), b"");
    let lines = output.stdout.lines().filter(|line| line.contains(word));
    let commands: Vec<String> = lines
        .filter_map(|line| line.rsplit_once(" # handle "))
        .map(|(_, handle)| format!("delete rule inet {TABLE} {chain} handle {handle}"))
        .collect();
    assert!(!commands.is_empty(), "{output:?}");
    nft(netns, &commands.join("\n"));
}

/// The first that fits decides, also where the first is what comes back.
fn order() {
    let world = world();
    let probe = Probe::new(&world, &filtering());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1, 2), Container::new(1, 3));
    for container in [&one, &two] {
        let script = [
            "accept incoming {} protocol=tcp ports=80,81 ports=8000,8000",
            "drop incoming {}",
        ]
        .map(|line| both(container, &format!("firewall.{line}")));
        container.up(&probe, &script.join("; "));
    }
    let connected = Dump::of(&world.host);
    let works = || {
        for container in [&one, &two] {
            for own in container.addresses() {
                for (port, does) in [(80, true), (82, false), (8000, true)] {
                    let own = at(&own, port);
                    let server = (&container.netns, &*own);
                    if does {
                        connect(Tcp, from(&world.host), &own, server);
                    } else {
                        cannot_connect(Tcp, from(&world.host), &own, server);
                    }
                }
            }
        }
    };
    works();
    // Each has its rules once more, in their order.
    for word in ["return", "drop", "dport 8000"] {
        remove_rules(&world.host, "incoming", word);
        reloads(&probe, "2 put back, 0 whole, 0 passed over.\n");
        assert_eq!(
            Dump::of(&world.host).table(TABLE),
            connected.table(TABLE),
            "{word}"
        );
        reloads(&probe, "0 put back, 2 whole, 0 passed over.\n");
    }
    works();
    one.down(&probe);
    two.down(&probe);
    assert_clean(&probe, &before);
}

/// A container that asks for a port.
fn with_port(number: u8, host_port: u16) -> (Container, String) {
    with_port_on(1, number, host_port)
}

fn with_port_on(network: u8, number: u8, host_port: u16) -> (Container, String) {
    let mut container = Container::new(network, number);
    container.connection = container
        .connection
        .port(mapping("", host_port, 80, 1, "tcp"));
    let script = publish(&container, &format!("{host_port}:80/tcp"));
    (container, script)
}

/// While the rules were gone, a container of another network got the port: it keeps it,
/// and whatever else was there comes back.
fn taken() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let (one, script) = with_port(2, 8080);
    one.up(&probe, &script);
    let (two, script) = with_port(3, 9090);
    two.up(&probe, &script);
    nft(&world.host, "flush ruleset");
    let (three, script) = with_port_on(2, 4, 8080);
    three.up(&probe, &script);
    let output = reload(&probe);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output
            .stdout
            .ends_with("1 put back, 1 whole, 0 passed over.\n"),
        "{output:?}"
    );
    for word in [
        "port 8080/tcp is taken",
        "disconnect either",
        super::site::id(1, 2).as_str(),
    ] {
        assert!(output.stderr.contains(word), "{output:?}");
    }
    for (port, container) in [(8080, &three), (9090, &two)] {
        let own = at(&container.addresses()[0], 80);
        let to = at(HOST[0], port);
        connect(Tcp, from(&world.neighbour), &to, (&container.netns, &own));
    }
    three.down(&probe);
    reloads(&probe, "1 put back, 1 whole, 0 passed over.\n");
    let own = at(&one.addresses()[0], 80);
    connect(
        Tcp,
        from(&world.neighbour),
        &at(HOST[0], 8080),
        (&one.netns, &own),
    );
    one.down(&probe);
    two.down(&probe);
    assert_clean(&probe, &before);
}

/// A teardown that couldn't remove all: what it has removed stays away.
fn torn_down() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let (one, script) = with_port(2, 8080);
    one.up(&probe, &script);
    // As a teardown that was killed right after its first step.
    let journal = probe.wasmvark.run_files().pop().unwrap();
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, format!("{text}\"leaving\"\n")).unwrap();
    nft(&world.host, "flush ruleset");
    reloads(&probe, "0 put back, 0 whole, 1 passed over.\n");
    assert!(Dump::of(&world.host).table(TABLE).is_empty());
    let held = probe.wasmvark.administer(&["journal"]).stdout;
    assert!(held.contains("teardown not finished"), "{held}");
    one.down(&probe);
    assert_clean(&probe, &before);
}

/// Nor a component.
fn no_driver() {
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let (one, script) = with_port(2, 8080);
    one.up(&probe, &script);
    let connected = Dump::of(&world.host);
    let lib = probe.wasmvark.root().join("lib");
    let away = world.file("away");
    std::fs::rename(&lib, &away).unwrap();
    nft(&world.host, "flush ruleset");
    reloads(&probe, "1 put back, 0 whole, 0 passed over.\n");
    assert_eq!(Dump::of(&world.host).table(TABLE), connected.table(TABLE));
    std::fs::rename(&away, &lib).unwrap();
    one.down(&probe);
    assert_clean(&probe, &before);
}

/// A client that goes on sending from the same port: what it sent while nothing
/// was translated doesn't decide about what comes after.
fn udp_meanwhile() {
    use super::site::{NEIGHBOUR, subnets};
    use std::net::UdpSocket;
    use wasmvark_tests::patience;
    let world = world();
    let probe = Probe::new(&world, &publishing());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    let masquerade = subnets(1).map(|subnet| format!("firewall.masquerade {subnet}"));
    one.up(&probe, &masquerade.join("; "));
    nft(&world.host, "flush ruleset");
    for (neighbour, host) in NEIGHBOUR.iter().zip(HOST) {
        let server = world
            .neighbour
            .run(|| UdpSocket::bind(at(neighbour, 7)).unwrap());
        let client = one.netns.run(|| {
            UdpSocket::bind(at(if host.contains(':') { "::" } else { "0.0.0.0" }, 0)).unwrap()
        });
        for socket in [&server, &client] {
            let wait = patience::of(std::time::Duration::from_secs(2));
            socket.set_read_timeout(Some(wait)).unwrap();
        }
        let seen = || {
            client.send_to(b"there", at(neighbour, 7)).unwrap();
            server.recv_from(&mut [0; 5]).unwrap().1.ip().to_string()
        };
        let own = &one.addresses()[usize::from(host.contains(':'))];
        assert_eq!(seen(), *own);
        assert_eq!(seen(), *own);
        reloads(&probe, "passed over.\n");
        assert_eq!(seen(), host);
        nft(&world.host, "flush ruleset");
    }
    one.down(&probe);
    assert_clean(&probe, &before);
}
