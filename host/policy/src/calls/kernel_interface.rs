//! The ways into the kernel that a call takes, beside NETLINK_ROUTE, which each takes.

use types::KernelInterface;

use super::{Call, Risk};

impl Call {
    /// Returns the ways into the kernel that the call takes, itself or to be undone.
    pub fn kernel_interfaces(self) -> Vec<KernelInterface> {
        let (part, function) = self.name().split_once('.').unwrap_or_default();
        let own = match (part, function) {
            // Its port is led to that of aardvark-dns.
            ("firewall", _) | ("dns", "register") => Some(KernelInterface::Netfilter),
            ("wireguard" | "offloads", _) => Some(KernelInterface::Generic),
            ("announce", _) => Some(KernelInterface::Packets),
            ("links", "create-tap") => Some(KernelInterface::Tun),
            _ => None,
        };
        // A change of a link can change its settings, which undoing gives back.
        let changes = part != "log" && part != "state" && self.risk() != Risk::Reads;
        let settings = changes.then_some(KernelInterface::Settings);
        own.into_iter().chain(settings).collect()
    }
}
