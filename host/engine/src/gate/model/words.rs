//! The users' requests, as far as they decide on a driver's reach.

use std::net::IpAddr;

use ipnet::IpNet;
use policy::RequestReach;
use types::{
    LinkProperty, Mac, NumberRange, PortRange, Protocol, Route, RouteKind, VfChange, VfWish,
    WishedVf,
};

use services::dns::{AardvarkConfig, DnsRecord, Registration};

use super::world::{SHARED_BRIDGE, SHARED_NETWORK, host_mac};
use crate::gate::{DhcpClient, Names};

/// The request of one user.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) network: &'static str,
    pub(super) parent: Option<&'static str>,
    /// The link that the request names as parent by its MAC address.
    pub(super) parent_by_mac: Option<&'static str>,
    pub(super) host_interface_name: Option<&'static str>,
    pub(super) vrf: Option<&'static str>,
    pub(super) container_vrf: Option<&'static str>,
    /// The link that answers for the container's IPv6 addresses.
    pub(super) ndp_proxy: Option<&'static str>,
    /// The addresses of the host's link beside the containers.
    pub(super) host_addresses: Vec<IpAddr>,
    pub(super) addresses: Vec<IpNet>,
    pub(super) gateways: Vec<IpNet>,
    pub(super) subnets: Vec<IpNet>,
    pub(super) routes: Vec<Route>,
    pub(super) secrets: Vec<&'static str>,
    pub(super) outbound: Vec<IpAddr>,
    pub(super) ports: Vec<PortRange>,
    /// The link that packets to published ports must come in through.
    pub(super) publish_interface: Option<&'static str>,
    pub(super) mode: Option<&'static str>,
    /// The VF of the parent that the request names, and the changes of it.
    pub(super) vf: Option<(u32, Vec<VfChange>)>,
    /// VLANs and VNIs, by their keys in grants.
    pub(super) numbers: Vec<(&'static str, u32)>,
}

/// The container's ID.
pub(super) const CONTAINER: &str = "thecontainer";
/// The name of the container's interface.
pub(super) const INTERFACE: &str = "eth0";

/// The VF that a request names, and its link.
pub(super) const WISHED_VF: (u32, &str) = (1, "eth1v1");

/// The MAC address that the request has for it.
pub(super) fn vf_mac() -> Mac {
    "06:11:22:33:44:55".parse().unwrap()
}

impl Words {
    /// Returns the reach of the request.
    pub(super) fn reach(&self) -> RequestReach {
        let name = |name: Option<&str>| name.map(|name| name.parse().unwrap());
        RequestReach {
            parent: name(self.parent),
            parent_property: self.parent_by_mac.map(|_| LinkProperty::Mac(host_mac(4))),
            interface_name: name(Some(INTERFACE)),
            host_interface_name: name(self.host_interface_name),
            vrf: name(self.vrf),
            container_vrf: name(self.container_vrf),
            ndp_proxy: name(self.ndp_proxy),
            host_addresses: self.host_addresses.clone(),
            network: self.network.to_owned(),
            container: CONTAINER.to_owned(),
            addresses: self.addresses.clone(),
            gateways: self.gateways.clone(),
            subnets: self.subnets.clone(),
            routes: self.routes.clone(),
            secrets: self.secrets.iter().map(|&name| name.to_owned()).collect(),
            outbound: self.outbound.clone(),
            ports: self.ports.clone(),
            publish_interface: name(self.publish_interface),
            mode: self.mode.map(str::to_owned),
            vlans: self.numbers("vlan").map(NumberRange::one).collect(),
            vnis: self.numbers("vni").collect(),
            vf: self
                .vf
                .clone()
                .map_or_else(VfWish::default, |(number, changes)| VfWish {
                    number: WishedVf::Number(number),
                    changes,
                }),
            ..RequestReach::default()
        }
    }

    /// Returns the container's names, without the addresses that the server listens on.
    pub(super) fn names(&self) -> Names {
        let record = DnsRecord {
            folder: "/run/dns".into(),
            network: self.network.to_owned(),
            internal: false,
            container: CONTAINER.to_owned().try_into().unwrap(),
        };
        Names {
            registration: Ok(Registration {
                record,
                listen: Vec::new(),
                forward_to: Vec::new(),
                addresses: self.addresses.iter().map(IpNet::addr).collect(),
                names: Vec::new(),
            }),
            port: AardvarkConfig::PORT,
            is_installed: true,
        }
    }

    pub(super) fn dhcp_client(&self) -> DhcpClient {
        DhcpClient {
            netns: "/run/netns/container".into(),
            container: CONTAINER.to_owned().try_into().unwrap(),
            host_name: None,
        }
    }

    /// Returns the link and the number of the VLAN that the parent's name means.
    pub(super) fn vlan_parent(&self) -> Option<(&'static str, u32)> {
        let (base, id) = self.parent?.split_once('.')?;
        Some((base, id.parse().unwrap()))
    }

    fn numbers(&self, key: &str) -> impl Iterator<Item = u32> {
        let numbers = self.numbers.iter();
        numbers
            .filter(move |(name, _)| *name == key)
            .map(|(_, number)| *number)
    }

    fn on(mut self, subnet: &str, gateway: &str, address: &str) -> Self {
        let subnet: IpNet = subnet.parse().unwrap();
        let with_length = |text: &str| {
            let address: IpAddr = text.parse().unwrap();
            IpNet::new(address, subnet.prefix_len()).unwrap()
        };
        self.subnets.push(subnet);
        self.gateways.push(with_length(gateway));
        self.addresses.push(with_length(address));
        self.routes.push(Route {
            destination: match subnet {
                IpNet::V4(_) => "0.0.0.0/0".parse().unwrap(),
                IpNet::V6(_) => "::/0".parse().unwrap(),
            },
            gateway: Some(gateway.parse().unwrap()),
            metric: None,
            kind: RouteKind::Unicast,
        });
        self
    }

    fn to(mut self, destination: &str, kind: RouteKind) -> Self {
        self.routes.push(Route {
            destination: destination.parse().unwrap(),
            gateway: None,
            metric: None,
            kind,
        });
        self
    }

    fn publishing(mut self, port: u16) -> Self {
        self.ports.push(PortRange {
            host_address: None,
            protocol: Protocol::Tcp,
            first: port,
            last: port,
            container_first: 80,
        });
        self
    }
}

fn plain(title: &'static str) -> Words {
    Words {
        title,
        network: "lonenetwork",
        ..Words::default()
    }
}

/// Returns users with ordinary requests, and users whose requests clash with the host.
pub(super) fn all() -> Vec<Words> {
    vec![
        Words {
            parent: Some("eth0"),
            ..plain("on the LAN")
        }
        .on("192.168.1.0/24", "192.168.1.1", "192.168.1.77")
        .on("2001:db8:1::/64", "2001:db8:1::1", "2001:db8:1::77"),
        plain("without a parent")
            .on("10.88.0.0/24", "10.88.0.1", "10.88.0.2")
            .on("fd88::/64", "fd88::1", "fd88::2")
            .publishing(8080),
        Words {
            parent: Some(SHARED_BRIDGE.0),
            network: SHARED_NETWORK,
            ..plain("on a bridge that another container is on")
        }
        .on("10.89.0.0/24", "10.89.0.1", "10.89.0.2")
        .on("fd89::/64", "fd89::1", "fd89::2")
        .publishing(8080),
        Words {
            parent: Some("br-new"),
            outbound: vec!["192.168.1.10".parse().unwrap()],
            host_interface_name: Some("vethmine"),
            publish_interface: Some("eth0"),
            ..plain("on a bridge of its own")
        }
        .on("10.87.0.0/24", "10.87.0.1", "10.87.0.2")
        .publishing(8080),
        Words {
            parent: Some("br-other"),
            ..plain("on somebody's bridge")
        }
        .on("10.200.0.0/24", "10.200.0.1", "10.200.0.7"),
        plain("in a subnet that the host is in").on("10.5.0.0/16", "10.5.0.2", "10.5.0.50"),
        Words {
            parent: Some("eth1"),
            vrf: Some("vrf-blue"),
            container_vrf: Some("vrfin"),
            ..plain("in a VRF")
        }
        .on("10.86.0.0/24", "10.86.0.1", "10.86.0.2"),
        Words {
            parent_by_mac: Some("eth2"),
            ..plain("with a card")
        },
        Words {
            secrets: vec!["key"],
            ..plain("with a tunnel")
        }
        .on("10.85.0.0/24", "10.85.0.1", "10.85.0.2")
        .to("10.50.0.0/16", RouteKind::Unicast),
        Words {
            parent: Some("eth2"),
            ..plain("with routes")
        }
        .on("10.84.0.0/24", "10.84.0.1", "10.84.0.2")
        .to("10.55.0.0/16", RouteKind::Blackhole)
        .to("10.77.0.0/16", RouteKind::Unicast),
        plain("in a subnet that has the host's").on("192.168.0.0/16", "192.168.7.1", "192.168.7.2"),
        Words {
            parent: Some("eth3"),
            mode: Some("passthru"),
            ..plain("in the place of a card")
        }
        .on("10.83.0.0/24", "10.83.0.1", "10.83.0.2"),
        Words {
            parent: Some("eth2"),
            mode: Some("l3"),
            numbers: vec![("vlan", 7), ("vni", 42)],
            ..plain("with numbers")
        }
        .on("10.82.0.0/24", "10.82.0.1", "10.82.0.2"),
        Words {
            ndp_proxy: Some("eth0"),
            ..plain("in a part of the LAN")
        }
        .on("192.168.1.128/26", "192.168.1.129", "192.168.1.130")
        .on(
            "2001:db8:1:0:8::/80",
            "2001:db8:1:0:8::1",
            "2001:db8:1:0:8::2",
        ),
        Words {
            parent: Some("eth1"),
            host_addresses: vec!["10.5.0.5".parse().unwrap()],
            ..plain("beside the host")
        }
        .on("10.5.0.0/24", "10.5.0.1", "10.5.0.50"),
        Words {
            parent: Some("eth2.10"),
            ..plain("in a VLAN of a card")
        }
        .on("10.81.0.0/24", "10.81.0.1", "10.81.0.2"),
        Words {
            parent: Some("eth1"),
            vf: Some((
                WISHED_VF.0,
                vec![VfChange::Mac(vf_mac()), VfChange::Trust(true)],
            )),
            ..plain("with a VF")
        },
        plain("with nothing"),
    ]
}
