//! Sources of firewalld's zone, with a firewalld in memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use audit::{Memory, Subject, Trail};
use journal::{Here, Journal};
use kernel::NetnsId;
use policy::{Authority, Grant, RequestReach};
use services::dhcp::{Dhcp, DhcpError, Lease, LeaseRequest};
use services::dns::{Dns, DnsError, DnsRecord, Registration, Served};
use services::{Services, TrustedZone};
use sim::{Imagined, ImaginedReader, Simulation};
use trust::Secrets;
use types::Key;

use super::*;
use crate::driver::wit::firewall::Host;
use crate::gate::{Firewall, Log};
use crate::rollback::Rollback;

/// firewalld, or none.
#[derive(Clone, Default)]
struct Zone {
    sources: Arc<Mutex<Option<BTreeSet<IpNet>>>>,
    refuses: bool,
}

impl Zone {
    fn with(sources: &[&str]) -> Self {
        let sources = sources.iter().map(|source| source.parse().unwrap());
        Self {
            sources: Arc::new(Mutex::new(Some(sources.collect()))),
            refuses: false,
        }
    }

    fn sources(&self) -> Vec<String> {
        let sources = self.sources.lock().unwrap();
        let sources = sources.iter().flatten();
        sources.map(ToString::to_string).collect()
    }

    fn reload(&self) {
        *self.sources.lock().unwrap() = Some(BTreeSet::new());
    }
}

impl TrustedZone for Zone {
    fn is_trusted(&mut self, subnet: IpNet) -> Result<Option<bool>, FirewalldError> {
        let sources = self.sources.lock().unwrap();
        Ok(sources.as_ref().map(|sources| sources.contains(&subnet)))
    }

    fn trust(&mut self, subnet: IpNet) -> Result<(), FirewalldError> {
        self.sources.lock().unwrap().iter_mut().for_each(|sources| {
            sources.insert(subnet);
        });
        Ok(())
    }

    fn distrust(&mut self, subnet: IpNet) -> Result<(), FirewalldError> {
        if self.refuses {
            return Err(FirewalldError::Conflict {
                subnet,
                zone: "block".to_owned(),
            });
        }
        self.sources.lock().unwrap().iter_mut().for_each(|sources| {
            sources.remove(&subnet);
        });
        Ok(())
    }

    fn is_strict(&mut self) -> Result<bool, FirewalldError> {
        Ok(false)
    }
}

impl Services for Zone {
    fn set_deadline(&mut self, _: Instant) {}
}

impl Dns for Zone {
    fn register(&mut self, _: &Registration) -> Result<Served, DnsError> {
        Ok(Served::Here)
    }

    fn withdraw(&mut self, _: &DnsRecord) -> Result<(), DnsError> {
        Ok(())
    }
}

impl Dhcp for Zone {
    fn lease(&mut self, _: &LeaseRequest) -> Result<Option<Lease>, DhcpError> {
        Ok(None)
    }

    fn release(&mut self, _: &LeaseRequest) -> Result<(), DhcpError> {
        Ok(())
    }
}

const SUBNET: &str = "10.88.0.2/32";

/// A network of containers with one address: the source is the same for all.
struct Network {
    folder: tempfile::TempDir,
    zone: Zone,
}

impl Network {
    fn new(zone: Zone) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            zone,
        }
    }

    fn gate(&self, container: &str) -> Gate {
        let reader = ImaginedReader(Arc::new(Imagined::default()));
        let kernel = Simulation::begin(Box::new(reader), true).unwrap();
        let key = Key {
            network: "net".to_owned().try_into().unwrap(),
            container: container.to_owned().try_into().unwrap(),
        };
        let here = Here {
            host: NetnsId::new(4, 1),
            container: Some(NetnsId::new(4, 2)),
        };
        let journal = Journal::open(&self.journals(), &key, here).unwrap();
        let subject = Subject {
            command: "setup",
            driver: "d".to_owned(),
            digest: String::new(),
            network: "net".to_owned(),
            container: Some(container.to_owned()),
        };
        let trail = Trail::in_memory(&Memory::default(), subject).unwrap();
        let services = Box::new(self.zone.clone());
        let digest = "0".repeat(64);
        let text = format!(
            "driver = \"d\"\ndigest = \"sha256:{digest}\"\n[calls]\n\"firewall.trust\" = {{}}\n"
        );
        Gate::new(
            Rollback::new(Box::new(kernel), services, journal, trail),
            Authority {
                grant: Grant::parse("d", Path::new("grant.toml"), &text).unwrap(),
                request: RequestReach {
                    network: "net".to_owned(),
                    container: container.to_owned(),
                    addresses: vec!["10.88.0.2/16".parse().unwrap()],
                    ..RequestReach::default()
                },
            },
            Log::new("d".to_owned(), 1 << 10, None),
            Secrets::unread(PathBuf::new()),
        )
    }

    fn journals(&self) -> PathBuf {
        self.folder.path().join("journals")
    }

    /// Connects a container, whose setup completes.
    fn connect(&self, container: &str) {
        let mut gate = self.gate(container);
        gate.trust(SUBNET.to_owned()).unwrap();
        gate.rollback.complete().unwrap();
    }

    fn disconnect(&self, container: &str) {
        let left = self.gate(container).rollback.undo();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_source_goes_with_the_last_container() {
    let network = Network::new(Zone::with(&["192.0.2.0/24"]));
    network.connect("one");
    network.connect("two");
    assert_eq!(network.zone.sources(), [SUBNET, "192.0.2.0/24"]);
    network.disconnect("one");
    assert_eq!(network.zone.sources(), [SUBNET, "192.0.2.0/24"]);
    network.disconnect("two");
    assert_eq!(network.zone.sources(), ["192.0.2.0/24"]);
}

#[test]
fn a_source_of_the_user_stays() {
    let network = Network::new(Zone::with(&[SUBNET]));
    network.connect("one");
    network.connect("two");
    network.disconnect("one");
    network.disconnect("two");
    assert_eq!(network.zone.sources(), [SUBNET]);
}

#[test]
fn a_setup_that_fails_takes_nothing_from_others() {
    let network = Network::new(Zone::with(&[]));
    network.connect("one");
    let mut gate = network.gate("two");
    gate.trust(SUBNET.to_owned()).unwrap();
    // The same call again has no second record.
    gate.trust(SUBNET.to_owned()).unwrap();
    assert!(gate.rollback.undo().is_empty());
    assert_eq!(network.zone.sources(), [SUBNET]);
    network.disconnect("one");
    assert_eq!(network.zone.sources(), [""; 0]);
}

#[test]
fn the_next_container_adds_what_a_reload_has_removed() {
    let network = Network::new(Zone::with(&[]));
    network.connect("one");
    network.zone.reload();
    network.connect("two");
    assert_eq!(network.zone.sources(), [SUBNET]);
    network.disconnect("two");
    assert_eq!(network.zone.sources(), [SUBNET]);
    network.disconnect("one");
    assert_eq!(network.zone.sources(), [""; 0]);
}

/// One that starts later gets the source by `wasmvark reload`, from the record.
#[test]
fn a_firewalld_that_starts_later_loses_the_source_too() {
    let network = Network::new(Zone::default());
    network.connect("one");
    *network.zone.sources.lock().unwrap() = Some([SUBNET.parse().unwrap()].into());
    network.disconnect("one");
    assert_eq!(network.zone.sources(), [""; 0]);
}

#[test]
fn a_firewall_that_is_left_alone_is_not_asked() {
    let network = Network::new(Zone::with(&[]));
    let mut gate = network.gate("one").with_firewall(Firewall::LeftAlone);
    gate.trust(SUBNET.to_owned()).unwrap();
    assert_eq!(network.zone.sources(), [""; 0]);
}

/// What the kernel made is undone all the same.
#[test]
fn a_firewalld_that_refuses_holds_up_nothing_else() {
    let mut network = Network::new(Zone::with(&[]));
    network.zone.refuses = true;
    let mut gate = network.gate("one");
    gate.trust(SUBNET.to_owned()).unwrap();
    let journal = gate.rollback.journal.as_mut().unwrap();
    let change = Change::SetSetting {
        namespace: Namespace::Container,
        key: "net.ipv4.ip_forward".parse().unwrap(),
        before: "0".to_owned(),
    };
    let number = journal.begin(change, false).unwrap();
    journal.done(number, None).unwrap();
    let errors = gate.rollback.undo();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let journal = gate.rollback.journal.as_ref().unwrap();
    let left: Vec<_> = journal
        .entries()
        .iter()
        .map(|entry| &entry.change)
        .collect();
    assert!(matches!(left[..], [Change::TrustSource { .. }]), "{left:?}");
}

#[test]
fn only_the_containers_packets_are_trusted() {
    let network = Network::new(Zone::with(&[]));
    for source in [
        "0.0.0.0/0",
        "10.88.0.0/16",
        "10.88.0.3/32",
        "fe80::/10",
        "nonsense",
    ] {
        network.gate("one").trust(source.to_owned()).unwrap_err();
    }
    assert_eq!(network.zone.sources(), [""; 0]);
}
