//! The two machines: a pair of real namespaces, and one in memory that begins
//! with the same.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Kernel, Netlink, Netns, Timed};
use sim::{Imagined, ImaginedReader, Simulation};
use wasmvark_tests::netns;

/// How long one sequence may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Settings that both machines have otherwise than new ones: without duplicate
/// address detection an address is final at once, not a second later.
const SETTINGS: [(&str, &str); 1] = [("ipv6/accept_dad", "0")];

/// IN6_ADDR_GEN_MODE_NONE (`if_link.h`): the simulation leaves link-local
/// addresses out that the kernel gives links, and says so.
const NO_LINK_LOCAL: (&str, &str) = ("ipv6/addr_gen_mode", "1");

/// A fresh pair of real namespaces.
pub(crate) struct Machine {
    host: netns::Netns,
    container: netns::Netns,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self {
            host: netns::Netns::empty(),
            container: netns::Netns::empty(),
        };
        let imagined = imagined();
        let settings = &imagined.host.link_settings;
        for netns in [&machine.host, &machine.container] {
            netns.run(|| {
                for (key, value) in settings {
                    for link in ["all", "default", "lo"] {
                        set(link, key, value);
                    }
                }
                let (key, value) = NO_LINK_LOCAL;
                set("default", key, value);
            });
        }
        machine
    }

    /// Does work with the kernel, inside the host's namespace.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce(&mut dyn Kernel) -> T + Send) -> T {
        self.run_with(|kernel| work(&mut { kernel }))
    }

    /// The same with the kernel for keeps.
    pub(crate) fn run_with<T: Send>(&self, work: impl FnOnce(Netlink) -> T + Send) -> T {
        let path = self.container.path();
        self.host.run(|| {
            let host = Netns::current().expect("the host's namespace can be opened");
            let container = Netns::container(&path, &host).expect("the container's can too");
            let deadline = Instant::now() + LIMIT;
            let netlink = Netlink::open(host, Some(container));
            let mut netlink = netlink.expect("sockets can be opened");
            netlink.set_deadline(deadline);
            work(netlink)
        })
    }
}

/// Writes a setting unless it's so already: the kernel takes some writes as a
/// change whatever is written.
fn set(link: &str, key: &str, value: &str) {
    let (family, key) = key.split_once('/').expect("a family and a key");
    let file = format!("/proc/sys/net/{family}/conf/{link}/{key}");
    let before = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    if before.trim() != value {
        fs::write(&file, value).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

/// The same in memory.
pub(crate) fn simulated() -> Simulation {
    let reader = ImaginedReader(Arc::new(imagined()));
    Simulation::begin(Box::new(reader), true).expect("an imagined machine can be read")
}

fn imagined() -> Imagined {
    let mut imagined = Imagined::empty();
    for namespace in [&mut imagined.host, &mut imagined.container] {
        let settings = SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned()));
        namespace.link_settings.extend(settings);
    }
    imagined
}
