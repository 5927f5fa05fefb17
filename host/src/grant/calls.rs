//! The vocabulary of calls: one entry for each function of the WIT.

use std::fmt;
use std::str::FromStr;

use super::nearest;

/// What a grant can name beyond own objects and the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReachKey {
    /// Names of links.
    Link,
    /// Networks that addresses, and sources of rules, may come from.
    Address,
    /// Networks that routes may lead to, and rules be about.
    Destination,
    /// Routing tables of the host.
    Table,
    /// Names of kernel settings.
    Key,
    /// Names of secrets.
    Secret,
    /// Ports of the host.
    Port,
}

impl ReachKey {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 7] = [
        Self::Link,
        Self::Address,
        Self::Destination,
        Self::Table,
        Self::Key,
        Self::Secret,
        Self::Port,
    ];

    /// A pattern as a value of the grant file: numbers of tables need no quotes.
    pub(super) fn value(self, pattern: &str) -> String {
        match pattern.parse::<u32>() {
            Ok(_) if self == Self::Table => pattern.to_owned(),
            _ => format!("\"{pattern}\""),
        }
    }

    /// The key in the grant file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Address => "address",
            Self::Destination => "destination",
            Self::Table => "table",
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Port => "port",
        }
    }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $effect:literal, [$($key:ident),*];)*) => {
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
    LinksGet = "links.get", "reads a link", [Link];
    /// Finds the default route's link.
    LinksGetDefault = "links.get-default", "reads the default route", [Link];
    /// Finds a link by index.
    LinksGetByIndex = "links.get-by-index", "reads a link", [Link];
    /// Finds a link by MAC address.
    LinksGetByMac = "links.get-by-mac", "reads a link", [Link];
    /// Finds a link by PCI address.
    LinksGetByPci = "links.get-by-pci", "reads a link", [Link];
    /// Finds a link by the path of its device.
    LinksGetByPath = "links.get-by-path", "reads a link", [Link];
    /// Lists the links of a namespace.
    LinksNames = "links.names", "reads which links there are", [Link];
    /// Reads how a link is.
    LinksInfo = "links.info", "reads a link", [Link];
    /// Lists a link's ports.
    LinksPorts = "links.ports", "reads a link", [Link];
    /// Waits until a link can carry packets.
    LinksWaitCarrier = "links.wait-carrier", "reads a link", [Link];
    /// Makes a macvlan link.
    LinksCreateMacvlan = "links.create-macvlan", "makes a link on a parent", [Link];
    /// Makes a bridge.
    LinksCreateBridge = "links.create-bridge", "makes a bridge", [Link];
    /// Makes a pair of veth links.
    LinksCreateVeth = "links.create-veth", "makes a link between host and container", [Link];
    /// Makes an ipvlan link.
    LinksCreateIpvlan = "links.create-ipvlan", "makes a link on a parent", [Link];
    /// Makes a macvtap link.
    LinksCreateMacvtap = "links.create-macvtap", "makes a link on a parent", [Link];
    /// Makes a VLAN link.
    LinksCreateVlan = "links.create-vlan", "makes a link on a parent", [Link];
    /// Makes a VXLAN link.
    LinksCreateVxlan = "links.create-vxlan", "makes a tunnel", [Link];
    /// Makes a VRF.
    LinksCreateVrf = "links.create-vrf", "makes a routing domain", [Link];
    /// Makes a dummy link.
    LinksCreateDummy = "links.create-dummy", "makes a link", [Link];
    /// Makes an ifb link.
    LinksCreateIfb = "links.create-ifb", "makes a link", [Link];
    /// Makes a tap.
    LinksCreateTap = "links.create-tap", "makes a link for a program", [Link];
    /// Makes a WireGuard link.
    LinksCreateWireguard = "links.create-wireguard", "makes a tunnel", [Link];
    /// Removes an own link.
    LinksDelete = "links.delete", "removes an own link", [];
    /// Moves a link into the container.
    LinksMoveToContainer = "links.move-to-container", "takes a link from the host", [Link];
    /// Gives a link another name.
    LinksRename = "links.rename", "changes a link", [Link];
    /// Sets a MAC address.
    LinksSetMac = "links.set-mac", "changes a link", [Link];
    /// Sets an MTU.
    LinksSetMtu = "links.set-mtu", "changes a link", [Link];
    /// Sets a link up.
    LinksSetUp = "links.set-up", "changes a link", [Link];
    /// Sets a link down.
    LinksSetDown = "links.set-down", "changes a link", [Link];
    /// Sets the length of a link's queue.
    LinksSetTxQueueLength = "links.set-tx-queue-length", "changes a link", [Link];
    /// Has a link take frames for others.
    LinksSetPromiscuous = "links.set-promiscuous", "has a link listen to others' frames", [Link];
    /// Has a link take all multicast frames.
    LinksSetAllMulticast = "links.set-all-multicast", "changes a link", [Link];
    /// Sets a text for people.
    LinksSetAlias = "links.set-alias", "changes a link", [Link];
    /// Makes a link another one's port.
    LinksSetMaster = "links.set-master", "puts a link below another", [Link];
    /// Lists the VFs of a card.
    LinksVfs = "links.vfs", "reads a link", [Link];
    /// Holds a VF to a MAC address.
    LinksSetVfMac = "links.set-vf-mac", "changes a card's VF", [Link];
    /// Puts a VF's frames into a VLAN.
    LinksSetVfVlan = "links.set-vf-vlan", "changes a card's VF", [Link];
    /// Whether a VF's frames with other source addresses are dropped.
    LinksSetVfSpoofCheck = "links.set-vf-spoof-check", "changes a card's VF", [Link];
    /// Whether a VF may listen to others' frames.
    LinksSetVfTrust = "links.set-vf-trust", "changes a card's VF", [Link];
    /// Sets a VF's link up or down.
    LinksSetVfLinkState = "links.set-vf-link-state", "changes a card's VF", [Link];
    /// Limits how fast a VF sends.
    LinksSetVfRate = "links.set-vf-rate", "changes a card's VF", [Link];
    /// Whether frames may leave where they came in.
    BridgePortsSetHairpin = "bridge-ports.set-hairpin", "changes a bridge's port", [Link];
    /// Whether frames pass to other isolated ports.
    BridgePortsSetIsolated = "bridge-ports.set-isolated", "changes a bridge's port", [Link];
    /// Whether MAC addresses are learnt.
    BridgePortsSetLearning = "bridge-ports.set-learning", "changes a bridge's port", [Link];
    /// Lists a port's VLANs.
    BridgePortsVlans = "bridge-ports.vlans", "reads a bridge's port", [Link];
    /// Lets VLANs pass a port.
    BridgePortsAddVlans = "bridge-ports.add-vlans", "changes a bridge's port", [Link];
    /// Lets VLANs pass a port no more.
    BridgePortsRemoveVlans = "bridge-ports.remove-vlans", "changes a bridge's port", [Link];
    /// Adds an address.
    AddressesAdd = "addresses.add", "adds an address", [Link, Address];
    /// Removes an address.
    AddressesRemove = "addresses.remove", "removes an address of an own link", [Link, Address];
    /// Lists addresses.
    AddressesList = "addresses.list", "reads a link's addresses", [Link];
    /// Waits until addresses can be used.
    AddressesWaitDad = "addresses.wait-dad", "reads a link's addresses", [Link];
    /// Adds a route.
    RoutesAdd = "routes.add", "adds a route", [Link, Destination, Table];
    /// Puts a route in the place of another.
    RoutesReplace = "routes.replace", "puts a route in the place of another", [Link, Destination, Table];
    /// Removes a route.
    RoutesRemove = "routes.remove", "removes a route", [Destination, Table];
    /// Lists routes.
    RoutesList = "routes.list", "reads which routes there are", [Destination];
    /// Adds a policy routing rule.
    RulesAdd = "rules.add", "chooses which table routes packets", [Link, Address, Destination, Table];
    /// Removes a policy routing rule.
    RulesRemove = "rules.remove", "removes a rule of routing", [Link, Address, Destination, Table];
    /// Lists policy routing rules.
    RulesList = "rules.list", "reads which rules of routing there are", [Address];
    /// Sets the MAC address of a neighbour.
    NeighboursAdd = "neighbours.add", "sets the MAC address of a neighbour", [Link, Address];
    /// Removes a neighbour that was set.
    NeighboursRemove = "neighbours.remove", "removes the MAC address of a neighbour", [Link, Address];
    /// Has a link answer for an address.
    NeighboursAddProxy = "neighbours.add-proxy", "answers for an address in another's place", [Link, Address];
    /// Has a link answer for an address no more.
    NeighboursRemoveProxy = "neighbours.remove-proxy", "stops answering for an address", [Link, Address];
    /// Lists the neighbours of a link.
    NeighboursList = "neighbours.list", "reads a link's neighbours", [Link];
    /// Lets a namespace forward packets.
    SysctlEnableIpForward = "sysctl.enable-ip-forward", "has a machine act as a router", [Key];
    /// Turns address autoconfiguration on or off.
    SysctlSetAutoconf = "sysctl.set-autoconf", "changes a kernel setting of a link", [Link];
    /// Has a link announce its IPv4 addresses.
    SysctlSetArpNotify = "sysctl.set-arp-notify", "changes a kernel setting of a link", [Link];
    /// Has a link announce its IPv6 addresses.
    SysctlSetNdiscNotify = "sysctl.set-ndisc-notify", "changes a kernel setting of a link", [Link];
    /// Which packets are dropped for where they come from.
    SysctlSetRpFilter = "sysctl.set-rp-filter", "changes a kernel setting of a link", [Link];
    /// Whether loopback addresses may be routed.
    SysctlSetRouteLocalnet = "sysctl.set-route-localnet", "changes a kernel setting of a link", [Link];
    /// Whether a link's packets may be forwarded.
    SysctlSetForwarding = "sysctl.set-forwarding", "changes a kernel setting of a link", [Link];
    /// Which router advertisements configure a link.
    SysctlSetAcceptRa = "sysctl.set-accept-ra", "changes a kernel setting of a link", [Link];
    /// Whether addresses are looked for elsewhere first.
    SysctlSetAcceptDad = "sysctl.set-accept-dad", "changes a kernel setting of a link", [Link];
    /// Whether a link is without IPv6.
    SysctlSetDisableIpv6 = "sysctl.set-disable-ipv6", "changes a kernel setting of a link", [Link];
    /// Whether addresses outlive a link's being down.
    SysctlSetKeepAddrOnDown = "sysctl.set-keep-addr-on-down", "changes a kernel setting of a link", [Link];
    /// Whether a link answers ARP for others.
    SysctlSetProxyArp = "sysctl.set-proxy-arp", "changes a kernel setting of a link", [Link];
    /// Whether a link answers for proxied neighbours.
    SysctlSetProxyNdp = "sysctl.set-proxy-ndp", "changes a kernel setting of a link", [Link];
    /// Sets a kernel setting by its name.
    SysctlSet = "sysctl.set", "changes a kernel setting", [Key];
    /// Announces an IPv4 address.
    AnnounceGratuitousArp = "announce.gratuitous-arp", "tells neighbours where an address is", [Link, Address];
    /// Announces an IPv6 address.
    AnnounceNeighbourAdvertisement = "announce.neighbour-advertisement", "tells neighbours where an address is", [Link, Address];
    /// Limits what a link sends.
    TrafficSetTbf = "traffic.set-tbf", "limits how fast a link sends", [Link];
    /// Shares what a link may send.
    TrafficSetHtb = "traffic.set-htb", "limits how fast a link sends", [Link];
    /// Adds a class of packets to what a link sends.
    TrafficAddHtbClass = "traffic.add-htb-class", "limits how fast a link sends", [Link];
    /// Has what a link receives go through another link.
    TrafficRedirectIngress = "traffic.redirect-ingress", "sends a link's packets through another", [Link];
    /// Removes limits.
    TrafficClear = "traffic.clear", "limits a link no more", [Link];
    /// Gives a WireGuard link its private key.
    WireguardSetPrivateKey = "wireguard.set-private-key", "uses a secret key", [Secret];
    /// Sets a WireGuard link's port.
    WireguardSetListenPort = "wireguard.set-listen-port", "opens a port of the host", [];
    /// Adds or changes a peer.
    WireguardSetPeer = "wireguard.set-peer", "lets a peer in", [Secret];
    /// Removes a peer.
    WireguardRemovePeer = "wireguard.remove-peer", "shuts a peer out", [];
    /// Reads a WireGuard link.
    WireguardInfo = "wireguard.info", "reads a link", [];
    /// Gives what comes from a network the host's address.
    FirewallMasquerade = "firewall.masquerade", "hides a network behind the host", [Address];
    /// Gives what comes from a network an address of the host's.
    FirewallSourceAddress = "firewall.source-address", "hides a network behind an address", [Address];
    /// Has ports of the host lead to the container.
    FirewallPublish = "firewall.publish", "has ports of the host lead to the container", [Link, Address, Port];
    /// Keeps a network apart from the driver's others.
    FirewallIsolate = "firewall.isolate", "keeps a network apart from others", [Link];
    /// Drops frames that a port sends in others' names.
    FirewallSpoofCheck = "firewall.spoof-check", "drops frames in others' names", [Link];
    /// Lets connections of the container through.
    FirewallAccept = "firewall.accept", "lets connections of the container through", [Address];
    /// Drops connections of the container.
    FirewallDrop = "firewall.drop", "drops connections of the container", [Address];
    /// Turns a feature of a link on or off.
    OffloadsSet = "offloads.set", "changes a link", [Link];
    /// Lists the features of a link.
    OffloadsList = "offloads.list", "reads a link", [Link];
    /// Reads what the driver kept.
    StateGet = "state.get", "reads what it kept itself", [];
    /// Keeps something for the network's next runs.
    StateSet = "state.set", "keeps something of its own", [];
    /// Removes what the driver kept.
    StateRemove = "state.remove", "removes what it kept itself", [];
    /// Lists what the driver kept.
    StateKeys = "state.keys", "reads what it kept itself", [];
    /// Writes a message.
    LogWrite = "log.write", "writes messages", [];
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
