//! The vocabulary of calls: one entry for each function of the WIT.

use std::fmt;
use std::str::FromStr;

use super::{Risk, nearest};

/// What a grant can name beyond own objects and the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReachKey {
    /// Names of links.
    Link,
    /// Where on the host new links may be.
    Place,
    /// Networks that addresses, and sources of rules, may come from.
    Address,
    /// Networks that routes may lead to, and rules be about.
    Destination,
    /// Routing tables of the host.
    Table,
    /// Numbers of VLANs.
    Vlan,
    /// Numbers of VXLANs.
    Vni,
    /// Names of kernel settings.
    Key,
    /// Names of secrets.
    Secret,
    /// Ports of the host.
    Port,
}

impl ReachKey {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 10] = [
        Self::Link,
        Self::Place,
        Self::Address,
        Self::Destination,
        Self::Table,
        Self::Vlan,
        Self::Vni,
        Self::Key,
        Self::Secret,
        Self::Port,
    ];

    /// Whether its patterns can be numbers, which need no quotes.
    pub(super) fn has_numbers(self) -> bool {
        matches!(self, Self::Table | Self::Vlan | Self::Vni)
    }

    /// A pattern as a value of the grant file.
    pub(super) fn value(self, pattern: &str) -> String {
        match pattern.parse::<u32>() {
            Ok(_) if self.has_numbers() => pattern.to_owned(),
            _ => format!("\"{pattern}\""),
        }
    }

    /// The key in the grant file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Place => "place",
            Self::Address => "address",
            Self::Destination => "destination",
            Self::Table => "table",
            Self::Vlan => "vlan",
            Self::Vni => "vni",
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Port => "port",
        }
    }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $risk:ident, $effect:literal, [$($key:ident),*];)*) => {
        /// A function of the interface, named `interface.function`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Call {
            $($(#[$doc])* $variant,)*
        }

        impl Call {
            /// All calls in the order of the WIT.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The one name that it has everywhere.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How much there is to lose by granting it without a reach.
            pub fn risk(self) -> Risk {
                match self {
                    $(Self::$variant => Risk::$risk,)*
                }
            }

            /// What it does to the machine, in plain words.
            pub fn effect(self) -> &'static str {
                match self {
                    $(Self::$variant => $effect,)*
                }
            }

            /// The widenings that make sense for it.
            pub fn reach_keys(self) -> &'static [ReachKey] {
                match self {
                    $(Self::$variant => &[$(ReachKey::$key),*],)*
                }
            }
        }
    };
}

calls! {
    /// Finds a link by name.
    LinksGet = "links.get", Reads, "reads a link", [Link];
    /// Finds the default route's link.
    LinksGetDefault = "links.get-default", Reads, "reads the default route", [Link];
    /// Finds a link by index.
    LinksGetByIndex = "links.get-by-index", Reads, "reads a link", [Link];
    /// Finds a link by MAC address.
    LinksGetByMac = "links.get-by-mac", Reads, "reads a link", [Link];
    /// Finds a link by PCI address.
    LinksGetByPci = "links.get-by-pci", Reads, "reads a link", [Link];
    /// Finds a link by the path of its device.
    LinksGetByPath = "links.get-by-path", Reads, "reads a link", [Link];
    /// Lists the links of a namespace.
    LinksNames = "links.names", Reads, "reads which links there are", [Link];
    /// Reads how a link is.
    LinksInfo = "links.info", Reads, "reads a link", [Link];
    /// Lists a link's ports.
    LinksPorts = "links.ports", Reads, "reads a link", [Link];
    /// Waits until a link can carry packets.
    LinksWaitCarrier = "links.wait-carrier", Reads, "reads a link", [Link];
    /// Makes a macvlan link.
    LinksCreateMacvlan = "links.create-macvlan", Medium, "makes a link on one of the host's", [Link, Place];
    /// Makes a bridge.
    LinksCreateBridge = "links.create-bridge", Medium, "makes a bridge on the host", [Link, Place];
    /// Makes a pair of veth links.
    LinksCreateVeth = "links.create-veth", Medium, "makes a link between host and container", [Link, Place];
    /// Makes an ipvlan link.
    LinksCreateIpvlan = "links.create-ipvlan", Medium, "makes a link on one of the host's", [Link, Place];
    /// Makes a macvtap link.
    LinksCreateMacvtap = "links.create-macvtap", Medium, "makes a link on one of the host's", [Link, Place];
    /// Makes a VLAN link.
    LinksCreateVlan = "links.create-vlan", Medium, "makes a link on one of the host's", [Link, Place, Vlan];
    /// Makes a VXLAN link.
    LinksCreateVxlan = "links.create-vxlan", Medium, "makes a tunnel over the host", [Link, Place, Vni];
    /// Makes a VRF.
    LinksCreateVrf = "links.create-vrf", Medium, "makes a routing domain", [Link, Place, Table];
    /// Makes a dummy link.
    LinksCreateDummy = "links.create-dummy", Low, "makes a link of its own", [Link, Place];
    /// Makes an ifb link.
    LinksCreateIfb = "links.create-ifb", Low, "makes a link of its own", [Link, Place];
    /// Makes a tap.
    LinksCreateTap = "links.create-tap", Low, "makes a link of its own for a program", [Link, Place];
    /// Makes a WireGuard link.
    LinksCreateWireguard = "links.create-wireguard", Medium, "makes a tunnel over the host", [Link, Place];
    /// Removes an own link.
    LinksDelete = "links.delete", Low, "removes own links", [];
    /// Moves a link into the container.
    LinksMoveToContainer = "links.move-to-container", High, "takes a link from the host", [Link];
    /// Gives a link another name.
    LinksRename = "links.rename", Low, "changes own links", [Link];
    /// Sets a MAC address.
    LinksSetMac = "links.set-mac", Low, "changes own links", [Link];
    /// Sets an MTU.
    LinksSetMtu = "links.set-mtu", Low, "changes own links", [Link];
    /// Sets a link up.
    LinksSetUp = "links.set-up", Low, "changes own links", [Link];
    /// Sets a link down.
    LinksSetDown = "links.set-down", Low, "changes own links", [Link];
    /// Sets the length of a link's queue.
    LinksSetTxQueueLength = "links.set-tx-queue-length", Low, "changes own links", [Link];
    /// Has a link take frames for others.
    LinksSetPromiscuous = "links.set-promiscuous", Medium, "has own links listen to others' frames", [Link];
    /// Has a link take all multicast frames.
    LinksSetAllMulticast = "links.set-all-multicast", Low, "changes own links", [Link];
    /// Sets a text for people.
    LinksSetAlias = "links.set-alias", Low, "changes own links", [Link];
    /// Makes a link another one's port.
    LinksSetMaster = "links.set-master", Medium, "puts own links below another", [Link];
    /// Lists the VFs of a card.
    LinksVfs = "links.vfs", Reads, "reads a link", [Link];
    /// Holds a VF to a MAC address.
    LinksSetVfMac = "links.set-vf-mac", High, "changes a VF of a card of the host's", [Link];
    /// Puts a VF's frames into a VLAN.
    LinksSetVfVlan = "links.set-vf-vlan", High, "changes a VF of a card of the host's", [Link, Vlan];
    /// Whether a VF's frames with other source addresses are dropped.
    LinksSetVfSpoofCheck = "links.set-vf-spoof-check", High, "changes a VF of a card of the host's", [Link];
    /// Whether a VF may listen to others' frames.
    LinksSetVfTrust = "links.set-vf-trust", High, "changes a VF of a card of the host's", [Link];
    /// Sets a VF's link up or down.
    LinksSetVfLinkState = "links.set-vf-link-state", High, "changes a VF of a card of the host's", [Link];
    /// Limits how fast a VF sends.
    LinksSetVfRate = "links.set-vf-rate", High, "changes a VF of a card of the host's", [Link];
    /// Whether frames may leave where they came in.
    BridgePortsSetHairpin = "bridge-ports.set-hairpin", Low, "changes own ports of a bridge", [Link];
    /// Whether frames pass to other isolated ports.
    BridgePortsSetIsolated = "bridge-ports.set-isolated", Low, "changes own ports of a bridge", [Link];
    /// Whether MAC addresses are learnt.
    BridgePortsSetLearning = "bridge-ports.set-learning", Low, "changes own ports of a bridge", [Link];
    /// Lists a port's VLANs.
    BridgePortsVlans = "bridge-ports.vlans", Reads, "reads a bridge's port", [Link];
    /// Lets VLANs pass a port.
    BridgePortsAddVlans = "bridge-ports.add-vlans", Low, "changes own ports of a bridge", [Link, Vlan];
    /// Lets VLANs pass a port no more.
    BridgePortsRemoveVlans = "bridge-ports.remove-vlans", Low, "changes own ports of a bridge", [Link, Vlan];
    /// Adds an address.
    AddressesAdd = "addresses.add", Low, "adds addresses to own links", [Link, Address];
    /// Removes an address.
    AddressesRemove = "addresses.remove", Low, "removes addresses of own links", [Link, Address];
    /// Lists addresses.
    AddressesList = "addresses.list", Reads, "reads a link's addresses", [Link];
    /// Waits until addresses can be used.
    AddressesWaitDad = "addresses.wait-dad", Reads, "reads a link's addresses", [Link];
    /// Adds a route.
    RoutesAdd = "routes.add", Medium, "changes host routes, to the network's subnets", [Link, Destination, Table];
    /// Puts a route in the place of another.
    RoutesReplace = "routes.replace", Medium, "changes host routes, to the network's subnets", [Link, Destination, Table];
    /// Removes a route.
    RoutesRemove = "routes.remove", Low, "removes own routes", [Destination, Table];
    /// Lists routes.
    RoutesList = "routes.list", Reads, "reads which routes there are", [Destination];
    /// Adds a policy routing rule.
    RulesAdd = "rules.add", Medium, "changes which table routes the network's packets", [Link, Address, Destination, Table];
    /// Removes a policy routing rule.
    RulesRemove = "rules.remove", Low, "removes own rules of routing", [Link, Address, Destination, Table];
    /// Lists policy routing rules.
    RulesList = "rules.list", Reads, "reads which rules of routing there are", [Address];
    /// Sets the MAC address of a neighbour.
    NeighboursAdd = "neighbours.add", Low, "sets neighbours of own links", [Link, Address];
    /// Removes a neighbour that was set.
    NeighboursRemove = "neighbours.remove", Low, "removes own neighbours", [Link, Address];
    /// Has a link answer for an address.
    NeighboursAddProxy = "neighbours.add-proxy", Medium, "answers for the container's addresses", [Link, Address];
    /// Has a link answer for an address no more.
    NeighboursRemoveProxy = "neighbours.remove-proxy", Low, "removes own neighbours", [Link, Address];
    /// Lists the neighbours of a link.
    NeighboursList = "neighbours.list", Reads, "reads a link's neighbours", [Link];
    /// Lets a namespace forward packets.
    SysctlEnableIpForward = "sysctl.enable-ip-forward", Low, "has the container act as a router", [Key];
    /// Turns address autoconfiguration on or off.
    SysctlSetAutoconf = "sysctl.set-autoconf", Low, "changes kernel settings of own links", [Link];
    /// Has a link announce its IPv4 addresses.
    SysctlSetArpNotify = "sysctl.set-arp-notify", Low, "changes kernel settings of own links", [Link];
    /// Has a link announce its IPv6 addresses.
    SysctlSetNdiscNotify = "sysctl.set-ndisc-notify", Low, "changes kernel settings of own links", [Link];
    /// Which packets are dropped for where they come from.
    SysctlSetRpFilter = "sysctl.set-rp-filter", Low, "changes kernel settings of own links", [Link];
    /// Whether loopback addresses may be routed.
    SysctlSetRouteLocalnet = "sysctl.set-route-localnet", Low, "changes kernel settings of own links", [Link];
    /// Whether a link's packets may be forwarded.
    SysctlSetForwarding = "sysctl.set-forwarding", Low, "changes kernel settings of own links", [Link];
    /// Which router advertisements configure a link.
    SysctlSetAcceptRa = "sysctl.set-accept-ra", Low, "changes kernel settings of own links", [Link];
    /// Whether addresses are looked for elsewhere first.
    SysctlSetAcceptDad = "sysctl.set-accept-dad", Low, "changes kernel settings of own links", [Link];
    /// Whether a link is without IPv6.
    SysctlSetDisableIpv6 = "sysctl.set-disable-ipv6", Low, "changes kernel settings of own links", [Link];
    /// Whether addresses outlive a link's being down.
    SysctlSetKeepAddrOnDown = "sysctl.set-keep-addr-on-down", Low, "changes kernel settings of own links", [Link];
    /// Whether a link answers ARP for others.
    SysctlSetProxyArp = "sysctl.set-proxy-arp", Low, "changes kernel settings of own links", [Link];
    /// Whether a link answers for proxied neighbours.
    SysctlSetProxyNdp = "sysctl.set-proxy-ndp", Low, "changes kernel settings of own links", [Link];
    /// Sets a kernel setting by its name.
    SysctlSet = "sysctl.set", Low, "changes kernel settings of own links", [Key];
    /// Announces an IPv4 address.
    AnnounceGratuitousArp = "announce.gratuitous-arp", Low, "tells neighbours where the container is", [Link, Address];
    /// Announces an IPv6 address.
    AnnounceNeighbourAdvertisement = "announce.neighbour-advertisement", Low, "tells neighbours where the container is", [Link, Address];
    /// Limits what a link sends.
    TrafficSetTbf = "traffic.set-tbf", Low, "limits how fast own links send", [Link];
    /// Shares what a link may send.
    TrafficSetHtb = "traffic.set-htb", Low, "limits how fast own links send", [Link];
    /// Adds a class of packets to what a link sends.
    TrafficAddHtbClass = "traffic.add-htb-class", Low, "limits how fast own links send", [Link];
    /// Has what a link receives go through another link.
    TrafficRedirectIngress = "traffic.redirect-ingress", Low, "sends own links' packets through another", [Link];
    /// Removes limits.
    TrafficClear = "traffic.clear", Low, "limits how fast own links send", [Link];
    /// Gives a WireGuard link its private key.
    WireguardSetPrivateKey = "wireguard.set-private-key", High, "uses a secret that the request names", [Secret];
    /// Sets a WireGuard link's port.
    WireguardSetListenPort = "wireguard.set-listen-port", High, "opens a port of the host", [];
    /// Adds or changes a peer.
    WireguardSetPeer = "wireguard.set-peer", High, "uses a secret that the request names, and lets a peer in", [Secret];
    /// Removes a peer.
    WireguardRemovePeer = "wireguard.remove-peer", Low, "shuts a peer out", [];
    /// Reads a WireGuard link.
    WireguardInfo = "wireguard.info", Reads, "reads a link", [];
    /// Gives what comes from a network the host's address.
    FirewallMasquerade = "firewall.masquerade", Medium, "host firewall: hides the network behind the host", [Address];
    /// Gives what comes from a network an address of the host's.
    FirewallSourceAddress = "firewall.source-address", Medium, "host firewall: hides the network behind an address", [Address];
    /// Has ports of the host lead to the container.
    FirewallPublish = "firewall.publish", Medium, "host firewall: opens the ports that the request publishes", [Link, Address, Port];
    /// Keeps a network apart from the driver's others.
    FirewallIsolate = "firewall.isolate", Medium, "host firewall: keeps the network apart from others", [Link];
    /// Drops frames that a port sends in others' names.
    FirewallSpoofCheck = "firewall.spoof-check", Low, "drops frames that own ports send in others' names", [Link];
    /// Lets connections of the container through.
    FirewallAccept = "firewall.accept", Medium, "host firewall: lets connections of the container through", [Address];
    /// Drops connections of the container.
    FirewallDrop = "firewall.drop", Medium, "host firewall: drops connections of the container", [Address];
    /// Turns a feature of a link on or off.
    OffloadsSet = "offloads.set", Low, "changes own links", [Link];
    /// Lists the features of a link.
    OffloadsList = "offloads.list", Reads, "reads a link", [Link];
    /// Reads what the driver kept.
    StateGet = "state.get", Low, "keeps things of its own", [];
    /// Keeps something for the network's next runs.
    StateSet = "state.set", Low, "keeps things of its own", [];
    /// Removes what the driver kept.
    StateRemove = "state.remove", Low, "keeps things of its own", [];
    /// Lists what the driver kept.
    StateKeys = "state.keys", Low, "keeps things of its own", [];
    /// Writes a message.
    LogWrite = "log.write", Low, "writes messages", [];
    /// What `create` returns: another interface of the host below the network.
    CreateParent = "create.parent", Medium, "names the host's interface in the user's place", [Link];
    /// What `create` returns: other VRFs.
    CreateVrf = "create.vrf", Medium, "names VRFs in the user's place", [Link];
    /// What `create` returns: another name for the host's end of veth pairs.
    CreateHostInterfaceName = "create.host-interface-name", Medium, "names a link of the host in the user's place", [Link];
    /// What `create` returns: other addresses of the host for what leaves it.
    CreateOutboundAddress = "create.outbound-address", Medium, "names addresses of the host in the user's place", [Address];
    /// What `create` returns: other secrets.
    CreateSecret = "create.secret", High, "names secrets in the user's place", [Secret];
    /// What `create` returns: other subnets or gateways.
    CreateSubnets = "create.subnets", Medium, "names subnets and gateways in the user's place", [Address];
    /// What `create` returns: other static routes.
    CreateRoutes = "create.routes", Medium, "names routes in the user's place", [Destination];
    /// What `create` returns: other name servers for the network's containers.
    CreateNameServers = "create.name-servers", Medium, "names name servers in the user's place", [Address];
    /// What `setup` returns: name servers for the container.
    AnswerDns = "answer.dns", Medium, "gives the container name servers", [Address];
    /// What `setup` returns: search domains for the container.
    AnswerSearch = "answer.search", Low, "gives the container search domains", [];
}

/// A reach that a call hasn't got.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{call} has no reach {:?}: {}", key.name(), .call.reach_keys_in_words())]
pub struct UnfitReach {
    call: Call,
    key: ReachKey,
}

impl Call {
    /// Refuses a widening that could never apply: it would only look like one.
    pub fn check_reach_key(self, key: ReachKey) -> Result<(), UnfitReach> {
        match self.reach_keys().contains(&key) {
            true => Ok(()),
            false => Err(UnfitReach { call: self, key }),
        }
    }

    fn reach_keys_in_words(self) -> String {
        let names: Vec<_> = self.reach_keys().iter().map(|key| key.name()).collect();
        match names.is_empty() {
            true => "it can't be widened, write {}".to_owned(),
            false => format!("it can be widened by {}", names.join(", ")),
        }
    }

    /// Whether it stands for something that a driver returns, rather than for a
    /// function that it imports: every driver can return it.
    pub fn is_returned(self) -> bool {
        ["create.", "answer."]
            .iter()
            .any(|part| self.name().starts_with(part))
    }

    /// Whether it changes nothing outside this run. Only such calls work in
    /// `create`, where there is no container to undo anything for.
    pub fn works_in_create(self) -> bool {
        let keeps = ["state.", "log."]
            .iter()
            .any(|part| self.name().starts_with(part));
        self.risk() == Risk::Reads || keeps || self.is_returned()
    }

    /// What a call makes, as the WIT names it: `bridge`; `None` for calls that
    /// make no link.
    pub fn makes(self) -> Option<&'static str> {
        self.name().strip_prefix("links.create-")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No call has this name.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("there is no call {name:?}{}", nearest::did_you_mean(near))]
pub struct UnknownCall {
    name: String,
    near: Option<&'static str>,
}

impl FromStr for Call {
    type Err = UnknownCall;

    fn from_str(name: &str) -> Result<Self, UnknownCall> {
        let mut calls = Call::ALL.iter().copied();
        let found = calls.find(|call| call.name() == name);
        found.ok_or_else(|| UnknownCall {
            name: name.to_owned(),
            near: nearest::name(name, Call::ALL.iter().map(|call| call.name())),
        })
    }
}
