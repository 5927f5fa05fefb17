//! Queueing disciplines: how fast links send.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{KernelError, LinkId};

/// Where a queueing discipline stands on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueHook {
    /// Before what is sent (`pkt_sched.h`, TC_H_ROOT).
    Root,
    /// Behind what is received (TC_H_INGRESS).
    Ingress,
}

/// Which queueing disciplines somebody has set on a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queues {
    /// What stands at the root, if not the kernel's own.
    pub root: Option<RootQueue>,
    /// Whether something stands behind what is received.
    pub ingress: bool,
}

impl Queues {
    /// Whether somebody has set one here.
    pub fn has(self, hook: QueueHook) -> bool {
        match hook {
            QueueHook::Root => self.root.is_some(),
            QueueHook::Ingress => self.ingress,
        }
    }
}

/// Whose a queueing discipline at the root is, told by its handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootQueue {
    /// Made here.
    Ours,
    /// Somebody else's.
    Foreign,
}

/// A rate, and how far it may be overdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Bytes per second, at least 1.
    rate: u64,
    /// Bytes, at least 1.
    burst: u32,
}

impl Shape {
    /// A shape of a rate in bits per second, at least 8, and a burst in bytes,
    /// at least 1.
    pub fn new(bits_per_second: u64, burst: u32) -> Option<Self> {
        let rate = bits_per_second / 8;
        (rate > 0 && burst > 0).then_some(Self { rate, burst })
    }

    /// Bytes per second.
    pub fn rate(self) -> u64 {
        self.rate
    }

    /// Bytes.
    pub fn burst(self) -> u32 {
        self.burst
    }
}

/// A token bucket filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tbf {
    /// The rate.
    pub shape: Shape,
    /// Milliseconds that a packet may wait.
    pub latency: u32,
}

/// A class of a hierarchical token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HtbClass {
    /// Its number, from [`HtbClass::FIRST`] on.
    pub number: u16,
    /// What it has for itself.
    pub assured: Shape,
    /// What it may use while others don't.
    pub ceiling: Shape,
    /// Which packets it takes.
    pub packets: ClassPackets,
}

impl HtbClass {
    /// The lowest number: 1 is the whole's.
    pub const FIRST: u16 = 2;
    /// The number of the class for all packets that no other class takes.
    pub const REST: u16 = u16::MAX;
}

/// Packets by where they come from and go to: one of both at least, of one
/// family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassPackets {
    source: Option<IpNet>,
    destination: Option<IpNet>,
    v6: bool,
}

impl ClassPackets {
    /// Packets of these networks, where at least one is given and both have
    /// one family.
    pub fn new(source: Option<IpNet>, destination: Option<IpNet>) -> Option<Self> {
        let is_v6 = |network: IpNet| network.addr().is_ipv6();
        let v6 = is_v6(source.or(destination)?);
        let same = destination.is_none_or(|network| is_v6(network) == v6);
        same.then_some(Self {
            source: source.map(|network| network.trunc()),
            destination: destination.map(|network| network.trunc()),
            v6,
        })
    }

    /// Where they come from.
    pub fn source(self) -> Option<IpNet> {
        self.source
    }

    /// Where they go.
    pub fn destination(self) -> Option<IpNet> {
        self.destination
    }

    /// Whether they are IPv6's.
    pub fn is_v6(self) -> bool {
        self.v6
    }
}

/// Reading queueing disciplines.
pub trait TrafficControlRead {
    /// Returns which queueing disciplines were set on a link.
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError>;
    /// Lists the numbers of the classes of a link's HTB.
    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError>;
}

/// Setting and removing queueing disciplines.
pub trait TrafficControl {
    /// Sets a token bucket filter at the root, where none was set.
    fn set_tbf(&mut self, link: LinkId, tbf: &Tbf) -> Result<(), KernelError>;
    /// Sets a hierarchical token bucket at the root, where none was set.
    fn set_htb(&mut self, link: LinkId, whole: Shape) -> Result<(), KernelError>;
    /// Adds a class with its filter.
    fn add_htb_class(&mut self, link: LinkId, class: &HtbClass) -> Result<(), KernelError>;
    /// Removes a class with its filter.
    fn remove_htb_class(
        &mut self,
        link: LinkId,
        number: u16,
        packets: ClassPackets,
    ) -> Result<(), KernelError>;
    /// Sends all that a link receives through the link with this index first.
    fn redirect_ingress(&mut self, link: LinkId, to: u32) -> Result<(), KernelError>;
    /// Removes a queueing discipline that was set here.
    fn remove_queue(&mut self, link: LinkId, hook: QueueHook) -> Result<(), KernelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_packets_of_one_family() {
        let network = |text: &str| Some(text.parse().unwrap());
        let (v4, v6) = (network("10.0.0.1/8"), network("fd00::/8"));
        assert!(ClassPackets::new(None, None).is_none());
        assert!(ClassPackets::new(v4, v6).is_none());
        let packets = ClassPackets::new(None, v4).unwrap();
        assert_eq!(packets.destination(), network("10.0.0.0/8"));
        assert!(ClassPackets::new(v6, None).unwrap().is_v6());
    }

    #[test]
    fn a_shape_lets_something_through() {
        assert!(Shape::new(7, 1).is_none());
        assert!(Shape::new(8, 0).is_none());
        assert_eq!(Shape::new(8_000_000, 1).unwrap().rate(), 1_000_000);
    }
}
