//! The reader of a namespace's state. It is used many times, because starting the programs
//! takes most of the time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::ask::Asked;
use crate::dump::{Dump, text};
use crate::netns::Netns;
use crate::places::NFT;
use crate::settings::Settings;

/// The lists that each address family has.
const FAMILY_LISTS: [&str; 4] = [
    "neigh show nud permanent",
    "neigh show proxy",
    "rule",
    "route show table all",
];

/// The programs in a namespace that answer questions about its state, and its settings.
/// They keep the namespace alive.
pub(crate) struct Reader {
    programs: Programs,
    settings: Settings,
    /// The names of links that the programs may have cached, by index.
    known: BTreeMap<u64, String>,
}

/// The answers of the programs.
pub(crate) struct Answers {
    pub(crate) links: Vec<Value>,
    pub(crate) addresses: Vec<Value>,
    pub(crate) neighbours: Vec<Value>,
    pub(crate) rules: Vec<Value>,
    pub(crate) routes: Vec<Value>,
    pub(crate) queues: Vec<Value>,
    pub(crate) bridge: Vec<Value>,
    pub(crate) firewall: Value,
}

/// The number of readers.
static READERS: AtomicUsize = AtomicUsize::new(0);

/// The number of readers that are kept. Each has programs and many open files, and some
/// tests have hundreds of namespaces.
const KEPT: usize = 24;

impl Reader {
    /// Whether another reader may be kept.
    pub(crate) fn may_be_kept() -> bool {
        READERS.load(Ordering::Relaxed) < KEPT
    }

    /// Starts the programs.
    pub(crate) fn new(netns: &Netns) -> Self {
        READERS.fetch_add(1, Ordering::Relaxed);
        Self {
            programs: Programs::start(netns),
            settings: Settings::default(),
            known: BTreeMap::new(),
        }
    }

    /// Reads the current state of the namespace.
    pub(crate) fn read(&mut self, netns: &Netns) -> Dump {
        let mut answers = self.programs.ask();
        if !self.learn(&answers.links) {
            // The programs cache names, so they would show a new link under an old
            // name.
            self.programs = Programs::start(netns);
            self.known.clear();
            answers = self.programs.ask();
            self.learn(&answers.links);
        }
        let links = answers.links.iter();
        let names: Vec<String> = links.map(|link| text(link, "ifname")).collect();
        let settings = self.settings.read(netns, &names);
        Dump::new(netns, answers, settings)
    }

    /// Notes the links' names. Returns false if an index has another name than before.
    fn learn(&mut self, links: &[Value]) -> bool {
        links.iter().all(|link| {
            let index = link["ifindex"].as_u64().expect("a link has an index");
            let name = link["ifname"].as_str().expect("a link has a name");
            let known = self.known.entry(index).or_insert_with(|| name.to_owned());
            known == name
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        READERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The programs that are asked.
struct Programs {
    links: Asked<Vec<Value>>,
    v4: Asked<Vec<Value>>,
    v6: Asked<Vec<Value>>,
    queues: Asked<Vec<Value>>,
    bridge: Asked<Vec<Value>>,
    /// `nft`, if it's installed.
    firewall: Option<Asked<Value>>,
}

impl Programs {
    fn start(netns: &Netns) -> Self {
        let list = |program, flags: &[&str]| {
            let flags = [flags, &["-batch", "-"]].concat();
            Asked::start(netns, program, &flags)
        };
        let has_nft = Path::new(NFT).exists();
        Self {
            links: list("ip", &["-j", "-d"]),
            v4: list("ip", &["-j", "-d", "-4"]),
            v6: list("ip", &["-j", "-d", "-6"]),
            queues: list("tc", &["-j"]),
            bridge: list("bridge", &["-j"]),
            firewall: has_nft.then(|| Asked::start(netns, NFT, &["-j", "-i"])),
        }
    }

    fn ask(&mut self) -> Answers {
        self.links.ask(&["link", "addr"]);
        self.v4.ask(&FAMILY_LISTS);
        self.v6.ask(&FAMILY_LISTS);
        self.queues.ask(&["qdisc show"]);
        self.bridge.ask(&["vlan show", "fdb show"]);
        if let Some(firewall) = &mut self.firewall {
            firewall.ask(&["list ruleset"]);
        }
        let [links, addresses] = self.links.answers();
        let [neighbours, proxies, rules, routes] = self.v4.answers();
        let [neighbours_v6, proxies_v6, rules_v6, routes_v6] = self.v6.answers();
        let [queues] = self.queues.answers();
        let firewall = self.firewall.as_mut().map(|firewall| {
            let [rules] = firewall.answers();
            rules
        });
        Answers {
            links,
            addresses,
            neighbours: [neighbours, proxies, neighbours_v6, proxies_v6].concat(),
            rules: [rules, rules_v6].concat(),
            routes: [routes, routes_v6].concat(),
            queues,
            bridge: self.bridge.answers::<2>().concat(),
            firewall: firewall.unwrap_or_default(),
        }
    }
}
