//! The link into whose networks the user put the container.
//!
//! No driver may cover what the host has. By the options `ndp_proxy` and `host_address`,
//! the user gives a network some of what is in the network of a link of the host.

use ipnet::IpNet;
use policy::RequestReach;
use types::LinkName;

/// A foreign link, and what the user gave of its networks.
#[derive(Debug, Clone)]
pub(super) struct Around {
    pub(super) link: LinkName,
    /// The networks that the driver may cover, and their parts.
    pub(super) given: Vec<IpNet>,
}

impl Around {
    /// Returns the link that answers for the container, with the IPv6 subnets; or the
    /// parent of the host's link beside the containers, with single addresses of both.
    pub(super) fn of(request: &RequestReach) -> Option<Self> {
        if let Some(link) = request.ndp_proxy.clone() {
            let subnets = request.subnets.iter().copied();
            let given = subnets.filter(|subnet| subnet.addr().is_ipv6()).collect();
            return Some(Self { link, given });
        }
        if request.host_addresses.is_empty() {
            return None;
        }
        let link = request.parent.clone()?;
        let hosts = request.host_addresses.iter().copied();
        let containers = request.addresses.iter().map(IpNet::addr);
        let given = hosts.chain(containers).map(IpNet::from).collect();
        Some(Self { link, given })
    }

    /// Whether the driver may cover a network, as a part of a wider one of the link's.
    /// Longer prefixes come before shorter ones, so the rest of that stays reachable.
    pub(super) fn allows(&self, network: IpNet, wider: IpNet) -> bool {
        let is_part = network.prefix_len() > wider.prefix_len() && wider.prefix_len() > 0;
        let mut given = self.given.iter();
        is_part && wider.contains(&network) && given.any(|given| given.contains(&network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn request() -> RequestReach {
        RequestReach {
            parent: Some("eth0".parse().unwrap()),
            addresses: vec![net("192.0.2.77/24"), net("2001:db8:0:0:8::2/80")],
            subnets: vec![net("192.0.2.64/26"), net("2001:db8:0:0:8::/80")],
            ..RequestReach::default()
        }
    }

    #[test]
    fn nothing_is_given_unless_the_user_says_so() {
        assert!(Around::of(&request()).is_none());
    }

    #[test]
    fn a_proxy_is_given_the_ipv6_subnets_and_no_more() {
        let around = Around::of(&RequestReach {
            ndp_proxy: Some("eth1".parse().unwrap()),
            ..request()
        });
        let around = around.unwrap();
        assert_eq!(around.link.as_str(), "eth1");
        let wider = net("2001:db8::/64");
        assert!(around.allows(net("2001:db8:0:0:8::/80"), wider));
        assert!(around.allows(net("2001:db8:0:0:8::2/128"), wider));
        for other in ["2001:db8:0:0:9::/80", "2001:db8::1/128", "2001:db8::/64"] {
            assert!(!around.allows(net(other), wider), "{other}");
        }
        assert!(!around.allows(net("192.0.2.64/26"), net("192.0.2.0/24")));
        assert!(!around.allows(net("2001:db8:0:0:8::/80"), net("::/0")));
    }

    #[test]
    fn beside_the_host_single_addresses_are_given() {
        let around = Around::of(&RequestReach {
            host_addresses: vec!["192.0.2.5".parse().unwrap()],
            ..request()
        });
        let around = around.unwrap();
        let wider = net("192.0.2.0/24");
        assert_eq!(around.link.as_str(), "eth0");
        for given in ["192.0.2.5/32", "192.0.2.77/32"] {
            assert!(around.allows(net(given), wider), "{given}");
        }
        for other in ["192.0.2.78/32", "192.0.2.1/32", "192.0.2.64/26"] {
            assert!(!around.allows(net(other), wider), "{other}");
        }
    }
}
