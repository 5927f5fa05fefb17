//! A real firewalld, which rejects what containers send, unless their subnets are sources
//! of its zone `trusted`. It has the machine's namespaces and a bus of its own.

use wasmvark_tests::dns;
use wasmvark_tests::flow::{Transport::Tcp, cannot_connect, connect, from};
use wasmvark_tests::harness::Need;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::poll;

use crate::case::Cases;
use crate::machine::{Account, Machine, Program, SLOW};
use crate::podman::Podman;

const SUBNETS: &str = "--subnet 10.90.0.0/24 --gateway 10.90.0.1 --subnet fd90::/64 \
     --gateway fd90::1";
/// The addresses of the usual two containers.
const ONE: &str = "--network home:ip=10.90.0.8,ip6=fd90::8";
const TWO: &str = "--network home:ip=10.90.0.9,ip6=fd90::9";
/// The machine's addresses on the wire, and its neighbour's.
const WIRE: [(&str, &str); 2] = [
    ("198.51.100.1/24", "198.51.100.2/24"),
    ("2001:db8:100::1/64", "2001:db8:100::2/64"),
];
/// Where the neighbour listens.
const OUTSIDE: [&str; 2] = ["198.51.100.2:80", "[2001:db8:100::2]:80"];
const BUS: &str = "/run/dbus/system_bus_socket";
const CONFIGURATION: &str = "/etc/firewalld/firewalld.conf";
/// netavark's sentence.
const STRICT: &str = "Port forwarding not possible as firewalld StrictForwardPorts enabled";

pub(crate) fn register(cases: &mut Cases) {
    let needs = [
        Need::InPodmanTrees("usr/sbin/firewalld"),
        Need::InPodmanTrees("usr/bin/dbus-daemon"),
    ];
    for driver in ["bridge", "ptp"] {
        let mut test = |name: &str, test: fn(&Podman, &'static str)| {
            cases.add_with(
                &needs,
                &format!("firewalld/{driver}/{name}"),
                move |podman| {
                    podman.install(driver, &format!("wasm-{driver}"));
                    lay_wire(podman.machine);
                    test(podman, driver);
                    take_up_wire(podman.machine);
                },
            );
        };
        test("packets pass", packets_pass);
        test("the user's source stays", users_source_stays);
        test("reload", reload);
        test("reload --watch-firewalld", watch);
        test("StrictForwardPorts", strict);
        test("another zone", another_zone);
    }
    cases.add_rootless_with(&needs, "firewalld/rootless", rootless);
}

/// firewalld, with the bus that it is on.
struct Firewalld<'a> {
    machine: &'a Machine,
    bus: Program<'a>,
    program: Program<'a>,
}

impl<'a> Firewalld<'a> {
    fn start(machine: &'a Machine) -> Self {
        Self {
            machine,
            bus: start_bus(machine),
            program: start_firewalld(machine),
        }
    }

    fn restart(self) -> Self {
        self.program.stop();
        Self {
            program: start_firewalld(self.machine),
            ..self
        }
    }

    /// Its rules go with it.
    fn stop(self) {
        self.program.stop();
        self.bus.stop();
    }

    /// Runs a command of the user's.
    #[track_caller]
    fn command(&self, arguments: &str) -> String {
        let mut words = vec!["firewall-cmd"];
        words.extend(arguments.split_whitespace());
        let output = self.machine.run(Account::Root, &words);
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
        output.stdout.trim_end().to_owned()
    }

    /// The sources of the zone `trusted`, sorted.
    #[track_caller]
    fn sources(&self) -> Vec<String> {
        let listed = self.command("--zone=trusted --list-sources");
        let mut sources: Vec<_> = listed.split_whitespace().map(str::to_owned).collect();
        sources.sort();
        sources
    }
}

/// Starts a system bus, and waits until it listens.
pub(crate) fn start_bus(machine: &Machine) -> Program<'_> {
    std::fs::create_dir_all(machine.path("/run/dbus")).expect("a folder can be made");
    let words = ["dbus-daemon", "--system", "--nofork", "--nopidfile"];
    let bus = machine.start(&machine.host, "/tmp/bus.log", &words);
    let listens = || machine.path(BUS).exists();
    assert!(
        poll::until_within(SLOW, listens, |listens| *listens),
        "{}",
        bus.log()
    );
    bus
}

fn start_firewalld(machine: &Machine) -> Program<'_> {
    let words = ["firewalld", "--nofork", "--nopid"];
    let program = machine.start(&machine.host, "/tmp/firewalld.log", &words);
    let state = || {
        let output = machine.run(Account::Root, &["firewall-cmd", "--state"]);
        output.stdout.trim_end().to_owned()
    };
    let state = poll::until_within(SLOW, state, |state| state == "running");
    assert_eq!(state, "running", "{}", program.log());
    program
}

/// The sources of containers: the network's subnets, or each container's addresses where
/// each has a link of its own.
fn sources(driver: &str, containers: &[&str]) -> Vec<String> {
    match driver {
        _ if containers.is_empty() => Vec::new(),
        "bridge" => vec!["10.90.0.0/24".to_owned(), "fd90::/64".to_owned()],
        _ => {
            let number = |name: &&str| if **name == *"one" { 8 } else { 9 };
            let numbers: Vec<_> = containers.iter().map(number).collect();
            let v4 = numbers.iter().map(|number| format!("10.90.0.{number}/32"));
            let v6 = numbers.iter().map(|number| format!("fd90::{number}/128"));
            v4.chain(v6).collect()
        }
    }
}

fn packets_pass(podman: &Podman, driver: &str) {
    let firewalld = Firewalld::start(podman.machine);
    create(podman, driver, "");
    let one = podman.start("one", ONE);
    assert_eq!(firewalld.sources(), sources(driver, &["one"]));
    let two = podman.start("two", TWO);
    assert_eq!(firewalld.sources(), sources(driver, &["one", "two"]));
    let (one_netns, two_netns) = (one.netns(), two.netns());
    assert_reaches_outside(podman.machine, &one_netns);
    // So do questions for names, which are for the host itself, and answers between two.
    let found = || dns::look_up(&one_netns, "10.90.0.1", "two");
    assert_eq!(
        poll::until(found, Option::is_some).map(|all| all.len()),
        Some(2)
    );
    connect(
        Tcp,
        from(&one_netns),
        "10.90.0.9:80",
        (&two_netns, "10.90.0.9:80"),
    );
    podman.remove("one");
    assert_eq!(firewalld.sources(), sources(driver, &["two"]));
    assert_reaches_outside(podman.machine, &two_netns);
    podman.remove("two");
    assert_eq!(firewalld.sources(), [""; 0]);
    // A driver that may not do it says so.
    podman.run("network rm home");
    let grant = format!("/etc/wasmvark/grants/wasm-{driver}.toml");
    let text = podman.machine.read(&grant);
    let less: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("firewall.trust"))
        .collect();
    assert_ne!(less.join("\n"), text.trim_end());
    podman.machine.write(&grant, &less.join("\n"));
    create(podman, driver, "");
    let seen = podman.fails(&format!("run --rm {ONE} test true"));
    assert!(seen.contains("firewall.trust"), "{seen}");
    assert_eq!(firewalld.sources(), [""; 0]);
    firewalld.stop();
}

fn users_source_stays(podman: &Podman, driver: &'static str) {
    let firewalld = Firewalld::start(podman.machine);
    create(podman, driver, "");
    let all = sources(driver, &["one"]);
    let users = &all[..1];
    firewalld.command(&format!("--zone=trusted --add-source={}", users[0]));
    let one = podman.start("one", ONE);
    assert_eq!(firewalld.sources(), all);
    assert_reaches_outside(podman.machine, &one.netns());
    podman.remove("one");
    assert_eq!(firewalld.sources(), users);
    // It stays after another container, too.
    podman.run(&format!("run --rm {ONE} test true"));
    assert_eq!(firewalld.sources(), users);
    firewalld.stop();
}

/// firewalld forgets the sources. `wasmvark doctor` sees it, and `wasmvark reload` adds
/// them again.
fn reload(podman: &Podman, driver: &str) {
    let machine = podman.machine;
    let firewalld = Firewalld::start(machine);
    create(podman, driver, "");
    let one = podman.start("one", ONE).netns();
    assert_reaches_outside(machine, &one);
    assert_eq!(
        doctor(podman),
        ["ok it runs, and lets the packets of containers pass"]
    );
    firewalld.command("--reload");
    assert_eq!(firewalld.sources(), [""; 0]);
    assert_does_not_reach_outside(machine, &one);
    assert!(!dns::answers(&one, "10.90.0.1", "one"));
    let missing = sources(driver, &["one"]);
    let expected: Vec<String> = missing
        .iter()
        .map(|source| {
            format!("problem it rejects what containers in {source} send, since a reload as a rule")
        })
        .collect();
    assert_eq!(doctor(podman), expected);
    let told = podman.wasmvark(&["reload"]);
    for source in &missing {
        assert!(told.contains(source), "{told}");
    }
    assert_eq!(firewalld.sources(), missing);
    assert_reaches_outside(machine, &one);
    assert_eq!(
        doctor(podman),
        ["ok it runs, and lets the packets of containers pass"]
    );
    let told = podman.wasmvark(&["reload"]);
    assert!(told.starts_with("0 put back, 1 whole"), "{told}");
    // They go with the container, also once they were put back.
    podman.remove("one");
    assert_eq!(firewalld.sources(), [""; 0]);
    // A container that came while nobody had its sources back, and one that goes then.
    podman.start("one", ONE);
    firewalld.command("--reload");
    podman.start("two", TWO);
    let after: &[&str] = if driver == "bridge" {
        &["one"]
    } else {
        &["two"]
    };
    assert_eq!(firewalld.sources(), sources(driver, after));
    podman.remove("one");
    podman.remove("two");
    assert_eq!(firewalld.sources(), [""; 0]);
    firewalld.stop();
}

/// What `wasmvark doctor` says of firewalld: how it is, and what.
#[track_caller]
fn doctor(podman: &Podman) -> Vec<String> {
    let output = podman.machine.run(Account::Root, &["wasmvark", "doctor"]);
    let lines = output.stdout.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words
    });
    let lines = lines.filter(|words| words.get(1) == Some(&"firewalld"));
    let found: Vec<_> = lines
        .map(|words| format!("{} {}", words[0], words[2..].join(" ")))
        .collect();
    let finds = found.iter().any(|line| line.starts_with("problem"));
    assert_eq!(output.code, Some(i32::from(finds)), "{output:?}");
    found
}

/// What the unit runs: it brings them back after each reload and restart, and ends with
/// the bus.
fn watch(podman: &Podman, driver: &str) {
    let machine = podman.machine;
    let firewalld = Firewalld::start(machine);
    create(podman, driver, "");
    let one = podman.start("one", ONE).netns();
    let expected = sources(driver, &["one"]);
    let words = ["wasmvark", "reload", "--watch-firewalld"];
    let watch = machine.start(&machine.host, "/tmp/watch.log", &words);
    let log = poll::until_within(SLOW, || watch.log(), |log| log.ends_with('\n'));
    assert_eq!(log, "0 put back, 1 whole, 0 passed over.\n");
    let comes_back = |firewalld: &Firewalld, when: &str| {
        let all = poll::until_within(SLOW, || firewalld.sources(), |all| *all == expected);
        assert_eq!(all, expected, "{when}: {}", watch.log());
        assert_reaches_outside(machine, &one);
    };
    for _ in 0..2 {
        firewalld.command("--reload");
        comes_back(&firewalld, "after a reload");
    }
    firewalld.command("--complete-reload");
    comes_back(&firewalld, "after a complete reload");
    let firewalld = firewalld.restart();
    comes_back(&firewalld, "after a restart");
    podman.remove("one");
    firewalld.command("--reload");
    assert_eq!(firewalld.sources(), [""; 0]);
    // systemd starts it again.
    firewalld.stop();
    watch.assert_ends();
    let log = watch.log();
    assert!(log.contains("the system bus ended the connection"), "{log}");
}

fn strict(podman: &Podman, driver: &str) {
    let text = podman.machine.read(CONFIGURATION);
    let changed = text.replace("\nStrictForwardPorts=no\n", "\nStrictForwardPorts=yes\n");
    assert_ne!(changed, text);
    podman.machine.write(CONFIGURATION, &changed);
    let firewalld = Firewalld::start(podman.machine);
    create(podman, driver, "");
    let command = |network: &str| format!("run --rm --network {network} -p 8080:80 test true");
    let seen = podman.fails(&command("home"));
    assert!(seen.contains(STRICT), "{seen}");
    assert_eq!(firewalld.sources(), [""; 0]);
    // netavark's own bridge as well, which it leaves behind.
    if podman.machine.edition.netavark >= (1, 17) {
        podman.run("network create --subnet 10.91.0.0/24 --interface-name own0 own");
        let seen = podman.fails(&command("own"));
        assert!(seen.contains(STRICT), "{seen}");
        podman.machine.host.ip("link del own0");
    }
    assert_eq!(
        doctor(podman)[0],
        "warning StrictForwardPorts is on, so published ports are refused"
    );
    // Without published ports all is well.
    let one = podman.start("one", ONE).netns();
    assert_reaches_outside(podman.machine, &one);
    podman.remove("one");
    podman.machine.write(CONFIGURATION, &text);
    let firewalld = firewalld.restart();
    let one = podman.start("one", &format!("-p 8080:80 {ONE}")).netns();
    let neighbour = from(&podman.machine.neighbour);
    connect(Tcp, neighbour, "198.51.100.1:8080", (&one, "10.90.0.8:80"));
    podman.remove("one");
    firewalld.stop();
}

/// A subnet that another zone has is the user's decision.
fn another_zone(podman: &Podman, driver: &str) {
    let firewalld = Firewalld::start(podman.machine);
    create(podman, driver, "");
    for source in sources(driver, &["one"]) {
        firewalld.command(&format!("--zone=work --add-source={source}"));
        let seen = podman.fails(&format!("run --rm {ONE} test true"));
        let sentence = format!(
            "can't add {source} to firewalld's zone trusted: the zone work has it as a source"
        );
        assert!(seen.contains(&sentence), "{seen}");
        let remedy = format!("firewall-cmd --zone=work --remove-source={source}");
        assert!(seen.contains(&remedy), "{seen}");
        assert_eq!(firewalld.sources(), [""; 0]);
        assert_eq!(firewalld.command("--zone=work --list-sources"), source);
        let words: Vec<&str> = remedy.split(' ').collect();
        let output = podman.machine.run(Account::Root, &words);
        assert_eq!(output.code, Some(0), "{output:?}");
        podman.run(&format!("run --rm {ONE} test true"));
    }
    // A zone with a part of it is told of by `wasmvark doctor`.
    firewalld.command("--zone=work --add-source=10.90.0.0/28");
    firewalld.command("--zone=work --add-source=10.0.0.0/8");
    podman.start("one", ONE);
    let found = doctor(podman);
    let tells = |line: &String| line.contains("is a source of the zone work, too");
    assert!(!found.is_empty() && found.iter().all(tells), "{found:?}");
    podman.remove("one");
    firewalld.stop();
}

/// An ordinary user may not change firewalld, and needn't: the packets come from a program
/// of the machine.
fn rootless(podman: &Podman) {
    let firewalld = Firewalld::start(podman.machine);
    podman.install("bridge", "wasm-bridge");
    create(podman, "bridge", "--disable-dns");
    let one = podman.start("one", ONE);
    one.assert_inspect_is_true("home", "eth0");
    assert_eq!(firewalld.sources(), [""; 0]);
    podman.remove_all();
    firewalld.stop();
}

fn create(podman: &Podman, driver: &str, options: &str) {
    podman.run(&format!(
        "network create -d wasm-{driver} -o masquerade=true {SUBNETS} {options} home"
    ));
}

fn lay_wire(machine: &Machine) {
    for (own, neighbours) in WIRE {
        machine
            .host
            .ip(&format!("addr add {own} dev p0{}", nodad(own)));
        let neighbour = &machine.neighbour;
        neighbour.ip(&format!("addr add {neighbours} dev n0{}", nodad(own)));
    }
}

fn nodad(address: &str) -> &str {
    if address.contains("::") { " nodad" } else { "" }
}

fn take_up_wire(machine: &Machine) {
    for (own, _) in WIRE {
        machine.host.ip(&format!("addr del {own} dev p0"));
    }
    // The drivers leave forwarding on.
    machine.host.set("ipv6/conf/all/forwarding", "0");
}

#[track_caller]
fn assert_reaches_outside(machine: &Machine, container: &Netns) {
    for outside in OUTSIDE {
        connect(Tcp, from(container), outside, (&machine.neighbour, outside));
    }
}

#[track_caller]
fn assert_does_not_reach_outside(machine: &Machine, container: &Netns) {
    for outside in OUTSIDE {
        cannot_connect(Tcp, from(container), outside, (&machine.neighbour, outside));
    }
}
