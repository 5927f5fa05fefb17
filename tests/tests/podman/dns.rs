//! Names of containers, which the system's own aardvark-dns serves.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use serde_json::json;
use wasmvark_tests::dns;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::patience;
use wasmvark_tests::poll;

use crate::case::Cases;
use crate::machine::{Account, Machine, NAME_SERVER};
use crate::podman::{Container, Podman};

const SUBNETS: &str = "--subnet 10.90.0.0/24 --gateway 10.90.0.1 --subnet fd90::/64 \
     --gateway fd90::1";
const GATEWAYS: [&str; 2] = ["10.90.0.1", "fd90::1"];
/// The addresses of the usual two containers.
const ONE: [&str; 2] = ["10.90.0.8", "fd90::8"];
const TWO: [&str; 2] = ["10.90.0.9", "fd90::9"];
/// Other name servers than the machine's own.
const OTHER: &str = "192.0.2.98";
const ANOTHER: &str = "192.0.2.99";
/// A name that no network has.
const OUTSIDE: &str = "example.com";

pub(crate) fn register(cases: &mut Cases) {
    for driver in ["bridge", "ptp"] {
        let mut test = |name: &str, test: fn(&Podman, &str)| {
            cases.add(&format!("dns/{driver}/{name}"), move |podman| {
                podman.install(driver, &format!("wasm-{driver}"));
                test(podman, driver);
                podman.remove_all();
                assert_serves_nothing(podman);
                // The drivers leave forwarding on.
                podman.machine.host.set("ipv6/conf/all/forwarding", "0");
            });
        };
        test("containers find each other", find_each_other);
        test("--disable-dns", disabled);
        test("--internal", internal);
        test("servers of the network", servers_of_the_network);
        test("a server of the container", server_of_the_container);
        test("killed", killed);
        test("beside a network of netavark's own", beside_netavarks_own);
    }
    cases.add_rootless("dns/rootless", rootless);
}

fn find_each_other(podman: &Podman, driver: &str) {
    create(podman, driver, "");
    assert_eq!(podman.network("home")["dns_enabled"], true);
    let options = "--network home --ip 10.90.0.8 --ip6 fd90::8 --network-alias web";
    let one = podman.start("one", options);
    let two = podman.start("two", "--network home:ip=10.90.0.9,ip6=fd90::9");
    let id = one.inspect("/Id");
    let id = &id.as_str().expect("an id")[..12];
    for name in ["one", "web", id, "one.dns.podman"] {
        assert_finds(&two, name, &ONE);
    }
    for gateway in GATEWAYS {
        assert_server_has(&two.netns(), gateway, "web", Some(&ONE));
        assert_server_has(&one.netns(), gateway, "two", Some(&TWO));
    }
    // What programs do.
    one.sh("echo hello > /tmp/index.html && httpd -h /tmp");
    assert_eq!(two.sh("wget -q -T 5 -O - http://web/"), "hello");
    let configuration = two.sh("cat /etc/resolv.conf");
    let [v4, v6] = GATEWAYS;
    assert_eq!(
        configuration,
        format!("search dns.podman\nnameserver {v4}\nnameserver {v6}")
    );
    podman.run("network reload one");
    assert_finds(&two, "web", &ONE);
    podman.run("restart -t 0 one");
    assert_finds(&two, "web", &ONE);
    podman.run("network disconnect home one");
    assert_finds(&two, "web", &[]);
    podman.run("network connect --alias other --ip 10.90.0.8 --ip6 fd90::8 home one");
    assert_finds(&two, "other", &ONE);
    podman.remove("one");
    assert_finds(&two, "one", &[]);
    podman.remove("two");
}

/// The container has the machine's servers, or its own.
fn disabled(podman: &Podman, driver: &str) {
    create(podman, driver, "--disable-dns");
    assert_eq!(podman.network("home")["dns_enabled"], false);
    let one = podman.start("one", "--network home");
    let configuration = one.sh("cat /etc/resolv.conf");
    assert_eq!(configuration, format!("nameserver {NAME_SERVER}"));
    let two = podman.start("two", &format!("--network home --dns {OTHER}"));
    let configuration = two.sh("cat /etc/resolv.conf");
    assert_eq!(configuration, format!("nameserver {OTHER}"));
    assert_serves_nothing(podman);
}

/// Questions for other names stay in the network.
fn internal(podman: &Podman, driver: &str) {
    let outside = Server::new(podman, OTHER);
    create(podman, driver, &format!("--internal --dns {OTHER}"));
    let (one, two) = start_two(podman);
    assert_finds(&two, "one", &ONE);
    assert_finds(&one, "two", &TWO);
    for gateway in GATEWAYS {
        assert_server_has(&two.netns(), gateway, OUTSIDE, None);
    }
    assert_finds(&two, OUTSIDE, &[]);
    outside.assert_not_asked();
}

/// They are asked for other names, also once they were changed.
fn servers_of_the_network(podman: &Podman, driver: &str) {
    let (other, another) = (Server::new(podman, OTHER), Server::new(podman, ANOTHER));
    create(podman, driver, &format!("--dns {OTHER}"));
    let (one, two) = start_two(podman);
    other.assert_asked_by(&one);
    another.assert_not_asked();
    podman.run(&format!(
        "network update home --dns-add {ANOTHER} --dns-drop {OTHER}"
    ));
    let servers = podman.network("home")["network_dns_servers"].take();
    assert_eq!(servers, json!([ANOTHER]));
    another.assert_asked_by(&one);
    other.assert_not_asked();
    assert_finds(&two, "one", &ONE);
    // Who comes later doesn't change it, nor who leaves.
    podman.remove("two");
    let two = podman.start("two", "--network home");
    another.assert_asked_by(&two);
    other.assert_not_asked();
    // Without one, it's the machine's. A server that runs doesn't see it, on networks of
    // netavark's own neither.
    podman.run(&format!("network update home --dns-drop {ANOTHER}"));
    podman.run("rm -f -t 0 one two");
    let (one, _) = start_two(podman);
    Server::new(podman, NAME_SERVER).assert_asked_by(&one);
    another.assert_not_asked();
}

/// netavark doesn't tell plugins of it, so it has no effect beside the network's names.
/// On a network of netavark's own, it's asked.
fn server_of_the_container(podman: &Podman, driver: &str) {
    let (machines, own) = (Server::new(podman, NAME_SERVER), Server::new(podman, OTHER));
    create(podman, driver, "");
    podman.run("network create --subnet 10.91.0.0/24 own");
    let ours = podman.start("ours", &format!("--network home --dns {OTHER}"));
    let theirs = podman.start("theirs", &format!("--network own --dns {OTHER}"));
    for (container, server) in [(&ours, GATEWAYS[0]), (&theirs, "10.91.0.1")] {
        let configuration = container.sh("cat /etc/resolv.conf");
        assert!(configuration.contains(server), "{configuration}");
        assert!(!configuration.contains(OTHER), "{configuration}");
    }
    machines.assert_asked_by(&ours);
    own.assert_not_asked();
    ask_at(&theirs, "10.91.0.1", &own);
    machines.assert_not_asked();
}

/// Whoever ends it, its names go with it.
fn killed(podman: &Podman, driver: &str) {
    create(podman, driver, "");
    let (one, two) = start_two(podman);
    assert_finds(&two, "one", &ONE);
    podman.run("kill one");
    assert_finds(&two, "one", &[]);
    podman.run("start one");
    assert_finds(&two, "one", &ONE);
    one.kill(false);
    assert_finds(&two, "one", &[]);
    podman.run("start one");
    podman.run("kill one two");
    assert_serves_nothing(podman);
}

/// A container on both finds the names of both, and each network those of its own.
fn beside_netavarks_own(podman: &Podman, driver: &str) {
    create(podman, driver, "");
    podman.run("network create --subnet 10.91.0.0/24 own");
    let (one, _) = start_two(podman);
    let theirs = podman.start("theirs", "--network own:ip=10.91.0.8");
    let both = podman.start(
        "both",
        "--network home:ip=10.90.0.10,ip6=fd90::10 --network own:ip=10.91.0.10",
    );
    assert_finds(&both, "one", &ONE);
    assert_finds(&both, "theirs", &["10.91.0.8"]);
    assert_finds(&one, "both", &["10.90.0.10", "fd90::10"]);
    assert_finds(&theirs, "both", &["10.91.0.10"]);
    assert_finds(&one, "theirs", &[]);
    assert_finds(&theirs, "one", &[]);
    podman.run("network disconnect home both");
    assert_finds(&both, "one", &[]);
    assert_finds(&both, "theirs", &["10.91.0.8"]);
    podman.run("rm -f -t 0 one two");
    assert_finds(&both, "theirs", &["10.91.0.8"]);
    assert_eq!(files(podman), ["own"]);
}

fn rootless(podman: &Podman) {
    podman.install("bridge", "wasm-bridge");
    create(podman, "bridge", "");
    let (one, two) = start_two(podman);
    assert_finds(&two, "one", &ONE);
    assert_finds(&one, "two", &TWO);
    one.sh("echo hello > /tmp/index.html && httpd -h /tmp");
    assert_eq!(two.sh("wget -q -T 5 -O - http://one/"), "hello");
    podman.run("kill one");
    assert_finds(&two, "one", &[]);
    podman.remove_all();
    assert_serves_nothing(podman);
}

fn create(podman: &Podman, driver: &str, options: &str) {
    podman.run(&format!(
        "network create -d wasm-{driver} {SUBNETS} {options} home"
    ));
}

fn start_two<'a>(podman: &Podman<'a>) -> (Container<'a>, Container<'a>) {
    (
        podman.start("one", "--network home:ip=10.90.0.8,ip6=fd90::8"),
        podman.start("two", "--network home:ip=10.90.0.9,ip6=fd90::9"),
    )
}

/// Checks that a container finds exactly these addresses by a name. The server reads its
/// files a little later.
#[track_caller]
fn assert_finds(container: &Container, name: &str, addresses: &[&str]) {
    let expected: BTreeSet<String> = addresses.iter().copied().map(str::to_owned).collect();
    let found = poll::until(|| find(container, name), |found| *found == expected);
    assert_eq!(found, expected, "{name}");
}

/// What a program in the container finds by a name.
fn find(container: &Container, name: &str) -> BTreeSet<String> {
    // It fails where it finds nothing, and writes the server's own address with a tab.
    let told = container.sh(&format!("nslookup {name} 2>&1 || true"));
    let lines = told.lines();
    lines
        .filter_map(|line| line.strip_prefix("Address: "))
        .map(str::to_owned)
        .collect()
}

/// Checks what a server tells of a name: exactly these addresses, or that there is no
/// such name.
#[track_caller]
fn assert_server_has(netns: &Netns, server: &str, name: &str, addresses: Option<&[&str]>) {
    let expected: Option<Vec<IpAddr>> = addresses.map(|all| {
        let all = all.iter().map(|address| address.parse());
        all.collect::<Result<_, _>>().expect("they are addresses")
    });
    let found = poll::until(
        || dns::look_up(netns, server, name),
        |found| *found == expected,
    );
    assert_eq!(found, expected, "{name} at {server}");
}

/// The files of the server, without the one of its process.
fn files(podman: &Podman) -> Vec<String> {
    let mut files = podman.machine.list(folder(podman.account));
    files.retain(|name| name != "aardvark.pid");
    files
}

fn folder(account: Account) -> &'static str {
    match account {
        Account::Root => "/run/containers/networks/aardvark-dns",
        Account::User => "/run/user/1000/containers/networks/aardvark-dns",
    }
}

/// Checks that neither a file is there nor a server.
#[track_caller]
fn assert_serves_nothing(podman: &Podman) {
    let look = || {
        (
            files(podman),
            podman.machine.list(folder(podman.account)),
            servers(podman.machine),
        )
    };
    let (files, all, servers) = poll::until(look, |(_, all, servers)| {
        all.is_empty() && servers.is_empty()
    });
    assert!(
        files.is_empty() && all.is_empty() && servers.is_empty(),
        "{all:?} {servers:?}"
    );
}

fn servers(machine: &Machine) -> Vec<String> {
    let processes = machine.processes().into_iter();
    processes
        .filter(|process| process.contains("aardvark-dns"))
        .collect()
}

/// A name server of the machine, which knows no name.
struct Server<'a> {
    machine: &'a Machine,
    address: &'static str,
    socket: UdpSocket,
}

impl<'a> Server<'a> {
    fn new(podman: &Podman<'a>, address: &'static str) -> Self {
        let machine = podman.machine;
        machine.host.ip(&format!("addr add {address}/32 dev lo"));
        let socket = machine.host.run(|| UdpSocket::bind((address, 53)));
        Self {
            machine,
            address,
            socket: socket.expect("nobody else serves there"),
        }
    }

    /// Checks that a name that the network doesn't have is asked for here.
    #[track_caller]
    fn assert_asked_by(&self, container: &Container) {
        ask_at(container, GATEWAYS[0], self);
    }

    /// Checks that no question has come. Who asks has an answer by now.
    #[track_caller]
    fn assert_not_asked(&self) {
        self.socket.set_nonblocking(true).expect("it can be set");
        let asked = dns::be_asked(&self.socket);
        assert_eq!(
            asked.as_ref().map_err(io::Error::kind),
            Err(io::ErrorKind::WouldBlock),
            "nobody asked {}",
            self.address
        );
    }

    /// Answers one question, if one comes.
    fn be_asked(&self) -> io::Result<String> {
        self.socket.set_nonblocking(false)?;
        self.socket
            .set_read_timeout(Some(patience::of(Duration::from_secs(10))))?;
        dns::be_asked(&self.socket)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // Another error is on its way already.
        if !thread::panicking() {
            let address = self.address;
            self.machine
                .host
                .ip(&format!("addr del {address}/32 dev lo"));
        }
    }
}

/// Asks a server for a name that it doesn't have, and checks that it asks another one.
#[track_caller]
fn ask_at(container: &Container, gateway: &str, other: &Server) {
    let netns = container.netns();
    let name = thread::scope(|scope| {
        let asked = scope.spawn(|| other.be_asked());
        // One question, so that none is left over.
        dns::answers(&netns, gateway, OUTSIDE);
        asked.join().expect("it was waited for")
    });
    assert_eq!(name.expect("a question came"), OUTSIDE);
}
