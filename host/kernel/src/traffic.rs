//! Queueing disciplines, which limit the rates of links.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{KernelError, LinkId};

/// The hook of a queueing discipline on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueHook {
    /// The root, for packets that the link sends (`pkt_sched.h`, TC_H_ROOT).
    Root,
    /// The ingress, for packets that the link receives (TC_H_INGRESS).
    Ingress,
}

/// The queueing disciplines that were set on a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queues {
    /// The root queueing discipline, unless it's the kernel's default.
    pub root: Option<RootQueue>,
    /// Whether there is an ingress queueing discipline.
    pub ingress: bool,
}

impl Queues {
    /// Whether a queueing discipline was set at this hook.
    pub fn has(self, hook: QueueHook) -> bool {
        match hook {
            QueueHook::Root => self.root.is_some(),
            QueueHook::Ingress => self.ingress,
        }
    }
}

/// The owner of a root queueing discipline, according to its handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootQueue {
    /// This program.
    Ours,
    /// Somebody else.
    Foreign,
}

/// A rate and a burst, by which the rate may be exceeded for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// In bytes per second, at least 1.
    rate: u64,
    /// In bytes, at least 1.
    burst: u32,
}

impl Shape {
    /// Returns a shape for a rate in bits per second, at least 8, and a burst
    /// in bytes, at least 1.
    pub fn new(bits_per_second: u64, burst: u32) -> Option<Self> {
        let rate = bits_per_second / 8;
        (rate > 0 && burst > 0).then_some(Self { rate, burst })
    }

    /// Returns the rate in bytes per second.
    pub fn rate(self) -> u64 {
        self.rate
    }

    /// Returns the burst in bytes.
    pub fn burst(self) -> u32 {
        self.burst
    }
}

/// A token bucket filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tbf {
    /// The rate.
    pub shape: Shape,
    /// The longest time that a packet may wait, in milliseconds.
    pub latency: u32,
}

/// A class of a hierarchical token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HtbClass {
    /// The class's number, from [`HtbClass::FIRST`] on.
    pub number: u16,
    /// The rate that the class always has.
    pub assured: Shape,
    /// The rate that the class may have while others don't use theirs.
    pub ceiling: Shape,
    /// The packets of the class.
    pub packets: ClassPackets,
}

impl HtbClass {
    /// The lowest number. The class above all others has number 1.
    pub const FIRST: u16 = 2;
    /// The number of the class for packets of no other class.
    pub const REST: u16 = u16::MAX;
}

/// Where a hierarchical token bucket queues packets of no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HtbFlow {
    /// Past all limits.
    Direct,
    /// Within the limit of the rest.
    Rest,
}

/// Packets of one address family, by their source, their destination or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassPackets {
    source: Option<IpNet>,
    destination: Option<IpNet>,
    v6: bool,
}

impl ClassPackets {
    /// Returns the packets of these networks. At least one network must be
    /// given, and both must be of one family.
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

    /// Returns the network that the packets come from.
    pub fn source(self) -> Option<IpNet> {
        self.source
    }

    /// Returns the network that the packets go to.
    pub fn destination(self) -> Option<IpNet> {
        self.destination
    }

    /// Whether the packets are IPv6.
    pub fn is_v6(self) -> bool {
        self.v6
    }
}

/// Reading queueing disciplines.
pub trait TrafficControlRead {
    /// Returns the queueing disciplines that were set on a link.
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError>;
    /// Lists the numbers of the classes of a link's HTB.
    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError>;
}

/// Setting and removing queueing disciplines.
pub trait TrafficControl {
    /// Sets a token bucket filter at the root. Fails if a queueing discipline
    /// was set there.
    fn set_tbf(&mut self, link: LinkId, tbf: &Tbf) -> Result<(), KernelError>;
    /// Sets a hierarchical token bucket at the root. Fails if a queueing
    /// discipline was set there.
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
    /// Adds a filter to a hierarchical token bucket. Those with lower priorities come
    /// first.
    fn add_htb_filter(
        &mut self,
        link: LinkId,
        priority: u16,
        packets: ClassPackets,
        flow: HtbFlow,
    ) -> Result<(), KernelError>;
    /// Redirects the packets that a link receives through the link with this
    /// index.
    fn redirect_ingress(&mut self, link: LinkId, to: u32) -> Result<(), KernelError>;
    /// Removes a queueing discipline that this program set.
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
