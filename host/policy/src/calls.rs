//! The vocabulary of calls: all that is known of each function of the WIT, in one
//! line. Where a field is missing the call has none of it.
//!
//! | field | what it says |
//! |---|---|
//! | `risk` | how much there is to lose by granting it without a reach ([`Risk`]) |
//! | `effect` | what it does to the machine, in plain words |
//! | `keys` | how the grant can widen it ([`ReachKey`]) |
//! | `request` | what of the request it reaches ([`Requested`]) |
//! | `name` | which name is meant for the link that it makes, moves or renames ([`Naming`]) |
//! | `needs` | what of the kernel it needs ([`KernelFeature`]) |
//! | `in_create` | `true`: it works at `create`, though it isn't for reading |

mod facts;
mod kernel_feature;
mod kernel_interface;
mod name;
mod reach_key;
#[cfg(test)]
mod tests;

pub use kernel_feature::KernelFeature;
pub use name::UnknownCall;
pub use reach_key::{ReachKey, UnfitReach};

use super::Risk;
use facts::{Facts, calls};
pub(crate) use facts::{Naming, Requested};

calls! {
    /// Finds a link by name.
    LinksGet = "links.get" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [Parent, Vrf, NdpProxy, VlanBase],
    }
    /// Finds the default route's link.
    LinksGetDefault = "links.get-default" {
        risk: Reads, effect: "reads the default route", keys: [Link], request: [DefaultRoute],
    }
    /// Reads the MTU of the default route's link.
    LinksDefaultMtu = "links.default-mtu" {
        risk: Reads, effect: "reads the default route's MTU", keys: [Link],
        request: [DefaultMtu, Vrf],
    }
    /// Finds a link by index.
    LinksGetByIndex = "links.get-by-index" {
        risk: Reads, effect: "reads a link", keys: [Link],
    }
    /// Finds a link by MAC address.
    LinksGetByMac = "links.get-by-mac" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [ParentProperty],
    }
    /// Finds a link by PCI address.
    LinksGetByPci = "links.get-by-pci" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [ParentProperty],
    }
    /// Finds a link by the path of its device.
    LinksGetByPath = "links.get-by-path" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [ParentProperty],
    }
    /// Lists the links of a namespace.
    LinksNames = "links.names" {
        risk: Reads, effect: "reads which links there are", keys: [Link], request: [ContainerLinks],
    }
    /// Reads how a link is.
    LinksInfo = "links.info" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [Parent, Vrf],
    }
    /// Lists a link's ports.
    LinksPorts = "links.ports" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [Parent, Vrf],
    }
    /// Waits until a link can carry packets.
    LinksWaitCarrier = "links.wait-carrier" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [Parent],
    }
    /// Makes a macvlan link.
    LinksCreateMacvlan = "links.create-macvlan" {
        risk: Medium, effect: "makes a link on one of the host's", keys: [Link, Place],
        request: [Parent, WholeParent], name: Interface, needs: [Macvlan],
    }
    /// Makes a bridge.
    LinksCreateBridge = "links.create-bridge" {
        risk: Medium, effect: "makes a bridge on the host", keys: [Link, Place], name: Network,
        needs: [Bridge],
    }
    /// Uses the bridge that the user named.
    LinksUseBridge = "links.use-bridge" {
        risk: Medium, effect: "uses a bridge of the host's that the user named",
        request: [NamedParent], name: Network, needs: [Bridge], in_create: true,
    }
    /// Makes a pair of veth links.
    LinksCreateVeth = "links.create-veth" {
        risk: Medium, effect: "makes a link between host and container", keys: [Link, Place],
        name: HostInterface, needs: [Veth],
    }
    /// Makes an ipvlan link.
    LinksCreateIpvlan = "links.create-ipvlan" {
        risk: Medium, effect: "makes a link on one of the host's", keys: [Link, Place],
        request: [Parent], name: Interface, needs: [Ipvlan],
    }
    /// Makes a macvtap link.
    LinksCreateMacvtap = "links.create-macvtap" {
        risk: Medium, effect: "makes a link on one of the host's", keys: [Link, Place],
        request: [Parent, WholeParent], name: Interface, needs: [Macvtap],
    }
    /// Makes a VLAN link.
    LinksCreateVlan = "links.create-vlan" {
        risk: Medium, effect: "makes a link on one of the host's", keys: [Link, Place, Vlan],
        request: [Parent, VlanBase, Vlans], name: VlanParent, needs: [Vlan8021q],
    }
    /// Makes a VXLAN link.
    LinksCreateVxlan = "links.create-vxlan" {
        risk: Medium, effect: "makes a tunnel over the host", keys: [Link, Place, Vni],
        request: [Parent, Vnis], name: Interface, needs: [Vxlan],
    }
    /// Makes a VRF.
    LinksCreateVrf = "links.create-vrf" {
        risk: Medium, effect: "makes a routing domain", keys: [Link, Place, Table],
        request: [ContainerRouting], name: Vrf, needs: [NetVrf],
    }
    /// Makes a dummy link.
    LinksCreateDummy = "links.create-dummy" {
        risk: Low, effect: "makes a link of its own", keys: [Link, Place], name: Interface,
        needs: [Dummy],
    }
    /// Makes an ifb link.
    LinksCreateIfb = "links.create-ifb" {
        risk: Low, effect: "makes a link of its own", keys: [Link, Place], name: BesideInterface,
        needs: [Ifb],
    }
    /// Makes a tap.
    LinksCreateTap = "links.create-tap" {
        risk: Low, effect: "makes a link of its own for a program", keys: [Link, Place],
        name: Interface, needs: [Tun],
    }
    /// Makes a WireGuard link.
    LinksCreateWireguard = "links.create-wireguard" {
        risk: Medium, effect: "makes a tunnel over the host", keys: [Link, Place],
        name: Interface, needs: [Wireguard],
    }
    /// Removes an own link.
    LinksDelete = "links.delete" {
        risk: Low, effect: "removes own links",
    }
    /// Moves a link into the container.
    LinksMoveToContainer = "links.move-to-container" {
        risk: High, effect: "takes a link from the host", keys: [Link],
        request: [NamedParent, UsedVf], name: Moved,
    }
    /// Gives a link another name.
    LinksRename = "links.rename" {
        risk: Low, effect: "changes own links", keys: [Link], name: Renamed,
    }
    /// Sets a MAC address.
    LinksSetMac = "links.set-mac" {
        risk: Low, effect: "changes own links", keys: [Link],
    }
    /// Sets an MTU.
    LinksSetMtu = "links.set-mtu" {
        risk: Low, effect: "changes own links", keys: [Link],
    }
    /// Sets a link up.
    LinksSetUp = "links.set-up" {
        risk: Low, effect: "changes own links", keys: [Link],
        request: [UsedBridge],
    }
    /// Sets a link down.
    LinksSetDown = "links.set-down" {
        risk: Low, effect: "changes own links", keys: [Link],
    }
    /// Sets the length of a link's queue.
    LinksSetTxQueueLength = "links.set-tx-queue-length" {
        risk: Low, effect: "changes own links", keys: [Link],
    }
    /// Has a link take frames for others.
    LinksSetPromiscuous = "links.set-promiscuous" {
        risk: Medium, effect: "has own links listen to others' frames", keys: [Link],
        request: [WholeParent, UsedBridge],
    }
    /// Has a link take all multicast frames.
    LinksSetAllMulticast = "links.set-all-multicast" {
        risk: Low, effect: "changes own links", keys: [Link], request: [WholeParent],
    }
    /// Sets a text for people.
    LinksSetAlias = "links.set-alias" {
        risk: Low, effect: "changes own links", keys: [Link],
    }
    /// Makes a link another one's port.
    LinksSetMaster = "links.set-master" {
        risk: Medium, effect: "puts own links below another", keys: [Link], request: [Master],
    }
    /// Lists the VFs of a card.
    LinksVfs = "links.vfs" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [Parent],
    }
    /// Uses a VF of the card that the user named.
    LinksUseVf = "links.use-vf" {
        risk: High, effect: "uses a VF of a card of the host's", keys: [Link], request: [Vf],
    }
    /// Holds a VF to a MAC address.
    LinksSetVfMac = "links.set-vf-mac" {
        risk: High, effect: "changes a VF of a card of the host's", keys: [Link],
        request: [UsedVf],
    }
    /// Puts a VF's frames into a VLAN.
    LinksSetVfVlan = "links.set-vf-vlan" {
        risk: High, effect: "changes a VF of a card of the host's", keys: [Link, Vlan],
        request: [UsedVf, Vlans],
    }
    /// Whether a VF's frames with other source addresses are dropped.
    LinksSetVfSpoofCheck = "links.set-vf-spoof-check" {
        risk: High, effect: "changes a VF of a card of the host's", keys: [Link],
        request: [UsedVf],
    }
    /// Whether a VF may listen to others' frames.
    LinksSetVfTrust = "links.set-vf-trust" {
        risk: High, effect: "changes a VF of a card of the host's", keys: [Link],
        request: [UsedVf],
    }
    /// Sets a VF's link up or down.
    LinksSetVfLinkState = "links.set-vf-link-state" {
        risk: High, effect: "changes a VF of a card of the host's", keys: [Link],
        request: [UsedVf],
    }
    /// Limits how fast a VF sends.
    LinksSetVfRate = "links.set-vf-rate" {
        risk: High, effect: "changes a VF of a card of the host's", keys: [Link],
        request: [UsedVf],
    }
    /// Whether frames may leave where they came in.
    BridgePortsSetHairpin = "bridge-ports.set-hairpin" {
        risk: Low, effect: "changes own ports of a bridge", keys: [Link], needs: [Bridge],
    }
    /// Whether frames pass to other isolated ports.
    BridgePortsSetIsolated = "bridge-ports.set-isolated" {
        risk: Low, effect: "changes own ports of a bridge", keys: [Link], needs: [Bridge],
    }
    /// Whether MAC addresses are learnt.
    BridgePortsSetLearning = "bridge-ports.set-learning" {
        risk: Low, effect: "changes own ports of a bridge", keys: [Link], needs: [Bridge],
    }
    /// Lists a port's VLANs.
    BridgePortsVlans = "bridge-ports.vlans" {
        risk: Reads, effect: "reads a bridge's port", keys: [Link],
        needs: [Bridge, BridgeVlanFiltering],
    }
    /// Lets VLANs pass a port.
    BridgePortsAddVlans = "bridge-ports.add-vlans" {
        risk: Low, effect: "changes own ports of a bridge", keys: [Link, Vlan], request: [Vlans],
        needs: [Bridge, BridgeVlanFiltering],
    }
    /// Lets VLANs pass a port no more.
    BridgePortsRemoveVlans = "bridge-ports.remove-vlans" {
        risk: Low, effect: "changes own ports of a bridge", keys: [Link, Vlan], request: [Vlans],
        needs: [Bridge, BridgeVlanFiltering],
    }
    /// Adds an address.
    AddressesAdd = "addresses.add" {
        risk: Low, effect: "adds addresses to own links", keys: [Link, Address],
        request: [LinkAddresses, UsedBridge],
    }
    /// Removes an address.
    AddressesRemove = "addresses.remove" {
        risk: Low, effect: "removes addresses of own links", keys: [Link, Address],
    }
    /// Lists addresses.
    AddressesList = "addresses.list" {
        risk: Reads, effect: "reads a link's addresses", keys: [Link], request: [Parent],
    }
    /// Waits until addresses can be used.
    AddressesWaitDad = "addresses.wait-dad" {
        risk: Reads, effect: "reads a link's addresses", keys: [Link], request: [Parent],
    }
    /// Allocates a free subnet for a new network.
    AddressesAllocateSubnet = "addresses.allocate-subnet" {
        risk: Low, effect: "gives new networks free subnets", request: [NewSubnet], in_create: true,
    }
    /// Leases an address for the container.
    DhcpLease = "dhcp.lease" {
        risk: Medium, effect: "gets the container's address from a DHCP server", keys: [Link],
        request: [Parent],
    }
    /// Serves the container's names.
    DnsRegister = "dns.register" {
        risk: Low, effect: "serves the containers' names on own links", keys: [Link],
        request: [Parent],
    }
    /// Adds a route.
    RoutesAdd = "routes.add" {
        risk: Medium, effect: "changes host routes, to the network's subnets",
        keys: [Link, Destination, Table], request: [Routes, ContainerRouting],
    }
    /// Puts a route in the place of another.
    RoutesReplace = "routes.replace" {
        risk: Medium, effect: "changes host routes, to the network's subnets",
        keys: [Link, Destination, Table], request: [Routes, ContainerRouting],
    }
    /// Removes a route.
    RoutesRemove = "routes.remove" {
        risk: Low, effect: "removes own routes", keys: [Destination, Table],
        request: [ContainerRouting],
    }
    /// Lists routes.
    RoutesList = "routes.list" {
        risk: Reads, effect: "reads which routes there are", keys: [Destination],
        request: [ContainerRouting],
    }
    /// Adds a policy routing rule.
    RulesAdd = "rules.add" {
        risk: Medium, effect: "changes which table routes the network's packets",
        keys: [Link, Address, Destination, Table], request: [Rules, ContainerRouting],
        needs: [IpMultipleTables, Ipv6MultipleTables],
    }
    /// Removes a policy routing rule.
    RulesRemove = "rules.remove" {
        risk: Low, effect: "removes own rules of routing",
        keys: [Link, Address, Destination, Table], request: [ContainerRouting],
        needs: [IpMultipleTables, Ipv6MultipleTables],
    }
    /// Lists policy routing rules.
    RulesList = "rules.list" {
        risk: Reads, effect: "reads which rules of routing there are", keys: [Address],
        request: [ContainerRouting], needs: [IpMultipleTables, Ipv6MultipleTables],
    }
    /// Sets the MAC address of a neighbour.
    NeighboursAdd = "neighbours.add" {
        risk: Low, effect: "sets neighbours of own links", keys: [Link, Address],
        request: [Neighbours],
    }
    /// Removes a neighbour that was set.
    NeighboursRemove = "neighbours.remove" {
        risk: Low, effect: "removes own neighbours", keys: [Link, Address],
    }
    /// Has a link answer for an address.
    NeighboursAddProxy = "neighbours.add-proxy" {
        risk: Medium, effect: "answers for the container's addresses", keys: [Link, Address],
        request: [Neighbours, NdpProxy],
    }
    /// Has a link answer for an address no more.
    NeighboursRemoveProxy = "neighbours.remove-proxy" {
        risk: Low, effect: "removes own neighbours", keys: [Link, Address],
    }
    /// Lists the neighbours of a link.
    NeighboursList = "neighbours.list" {
        risk: Reads, effect: "reads a link's neighbours", keys: [Link], request: [Parent],
    }
    /// Lets a namespace forward packets.
    SysctlEnableIpForward = "sysctl.enable-ip-forward" {
        risk: Low, effect: "has the container act as a router", keys: [Key], request: [Forwarding],
    }
    /// Turns address autoconfiguration on or off.
    SysctlSetAutoconf = "sysctl.set-autoconf" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Has a link announce its IPv4 addresses.
    SysctlSetArpNotify = "sysctl.set-arp-notify" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Has a link announce its IPv6 addresses.
    SysctlSetNdiscNotify = "sysctl.set-ndisc-notify" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Sets whether a link answers ARP requests for its own addresses only.
    SysctlSetArpIgnore = "sysctl.set-arp-ignore" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Which packets are dropped for where they come from.
    SysctlSetRpFilter = "sysctl.set-rp-filter" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Whether loopback addresses may be routed.
    SysctlSetRouteLocalnet = "sysctl.set-route-localnet" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
        request: [UsedBridge],
    }
    /// Whether a link's packets may be forwarded.
    SysctlSetForwarding = "sysctl.set-forwarding" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Which router advertisements configure a link.
    SysctlSetAcceptRa = "sysctl.set-accept-ra" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
        request: [UsedBridge],
    }
    /// Whether addresses are looked for elsewhere first.
    SysctlSetAcceptDad = "sysctl.set-accept-dad" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Whether a link is without IPv6.
    SysctlSetDisableIpv6 = "sysctl.set-disable-ipv6" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Whether addresses outlive a link's being down.
    SysctlSetKeepAddrOnDown = "sysctl.set-keep-addr-on-down" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Whether a link answers ARP for others.
    SysctlSetProxyArp = "sysctl.set-proxy-arp" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
    }
    /// Whether a link answers for proxied neighbours.
    SysctlSetProxyNdp = "sysctl.set-proxy-ndp" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Link],
        request: [NdpProxy],
    }
    /// Sets a kernel setting by its name.
    SysctlSet = "sysctl.set" {
        risk: Low, effect: "changes kernel settings of own links", keys: [Key], request: [Settings],
    }
    /// Announces an IPv4 address.
    AnnounceGratuitousArp = "announce.gratuitous-arp" {
        risk: Low, effect: "tells neighbours where the container is", keys: [Link, Address],
        request: [Addresses], needs: [Packet],
    }
    /// Announces an IPv6 address.
    AnnounceNeighbourAdvertisement = "announce.neighbour-advertisement" {
        risk: Low, effect: "tells neighbours where the container is", keys: [Link, Address],
        request: [Addresses], needs: [Ipv6],
    }
    /// Limits what a link sends.
    TrafficSetTbf = "traffic.set-tbf" {
        risk: Low, effect: "limits how fast own links send", keys: [Link], needs: [NetSchTbf],
    }
    /// Shares what a link may send.
    TrafficSetHtb = "traffic.set-htb" {
        risk: Low, effect: "limits how fast own links send", keys: [Link], needs: [NetSchHtb],
    }
    /// Adds a class of packets to what a link sends.
    TrafficAddHtbClass = "traffic.add-htb-class" {
        risk: Low, effect: "limits how fast own links send", keys: [Link],
        needs: [NetSchHtb, NetClsU32],
    }
    /// Leads packets past a link's limits.
    TrafficAddHtbFilter = "traffic.add-htb-filter" {
        risk: Low, effect: "excepts packets from own links' limits", keys: [Link],
        needs: [NetSchHtb, NetClsU32],
    }
    /// Has what a link receives go through another link.
    TrafficRedirectIngress = "traffic.redirect-ingress" {
        risk: Low, effect: "sends own links' packets through another", keys: [Link],
        needs: [NetSchIngress, NetClsU32, NetActMirred],
    }
    /// Removes limits.
    TrafficClear = "traffic.clear" {
        risk: Low, effect: "limits how fast own links send", keys: [Link],
    }
    /// Gives a WireGuard link its private key.
    WireguardSetPrivateKey = "wireguard.set-private-key" {
        risk: High, effect: "uses a secret that the request names", keys: [Secret],
        request: [Secrets], needs: [Wireguard],
    }
    /// Sets a WireGuard link's port.
    WireguardSetListenPort = "wireguard.set-listen-port" {
        risk: High, effect: "opens a port of the host", needs: [Wireguard],
    }
    /// Adds or changes a peer.
    WireguardSetPeer = "wireguard.set-peer" {
        risk: High, effect: "uses a secret that the request names, and lets a peer in",
        keys: [Secret], request: [Secrets], needs: [Wireguard],
    }
    /// Removes a peer.
    WireguardRemovePeer = "wireguard.remove-peer" {
        risk: Low, effect: "shuts a peer out", needs: [Wireguard],
    }
    /// Reads a WireGuard link.
    WireguardInfo = "wireguard.info" {
        risk: Reads, effect: "reads a link", needs: [Wireguard],
    }
    /// Gives what comes from a network the host's address.
    FirewallMasquerade = "firewall.masquerade" {
        risk: Medium, effect: "host firewall: hides the network behind the host", keys: [Address],
        request: [Sources], needs: [NfTables, NfTablesInet, NfConntrack, NftMasq],
    }
    /// Has firewalld let a network's packets pass.
    FirewallTrust = "firewall.trust" {
        risk: Medium, effect: "host firewall: has firewalld let the network's packets pass",
        keys: [Address], request: [Sources],
    }
    /// Gives what comes from a network an address of the host's.
    FirewallSourceAddress = "firewall.source-address" {
        risk: Medium, effect: "host firewall: hides the network behind an address", keys: [Address],
        request: [Sources, OutboundAddresses], needs: [NfTables, NfTablesInet, NfConntrack, NftNat],
    }
    /// Has ports of the host lead to the container.
    FirewallPublish = "firewall.publish" {
        risk: Medium, effect: "host firewall: opens the ports that the request publishes",
        keys: [Link, Address, Port], request: [Addresses, Ports, UsedBridge],
        needs: [NfTables, NfTablesInet, NfConntrack, NfCtNetlink, NftNat, NftMasq, NftFibInet],
    }
    /// Keeps a network apart from the driver's others.
    FirewallIsolate = "firewall.isolate" {
        risk: Medium, effect: "host firewall: keeps the network apart from others", keys: [Link],
        request: [UsedBridge],
        needs: [NfTables, NfTablesInet],
    }
    /// Keeps what an internal network sends and gets inside.
    FirewallInternal = "firewall.internal" {
        risk: Low, effect: "host firewall: closes an internal network", keys: [Link],
        request: [UsedInternalBridge],
        needs: [NfTables, NfTablesInet],
    }
    /// Drops frames that a port sends in others' names.
    FirewallSpoofCheck = "firewall.spoof-check" {
        risk: Low, effect: "drops frames that own ports send in others' names", keys: [Link],
        needs: [NfTables, NfTablesBridge],
    }
    /// Lets connections of the container through.
    FirewallAccept = "firewall.accept" {
        risk: Medium, effect: "host firewall: lets connections of the container through",
        keys: [Address], request: [Addresses],
        needs: [NfTables, NfTablesInet, NfConntrack, NfCtNetlink, NftCt],
    }
    /// Drops connections of the container.
    FirewallDrop = "firewall.drop" {
        risk: Medium, effect: "host firewall: drops connections of the container", keys: [Address],
        request: [Addresses], needs: [NfTables, NfTablesInet, NfConntrack, NfCtNetlink, NftCt],
    }
    /// Lets connections over a link in the container through.
    FirewallAcceptInContainer = "firewall.accept-in-container" {
        risk: Low, effect: "container: lets connections over own links through", keys: [Link],
        needs: [NfTables, NfTablesInet, NfConntrack, NftCt],
    }
    /// Drops connections over a link in the container.
    FirewallDropInContainer = "firewall.drop-in-container" {
        risk: Low, effect: "container: drops connections over own links", keys: [Link],
        needs: [NfTables, NfTablesInet, NfConntrack, NftCt],
    }
    /// Turns a feature of a link on or off.
    OffloadsSet = "offloads.set" {
        risk: Low, effect: "changes own links", keys: [Link],
    }
    /// Lists the features of a link.
    OffloadsList = "offloads.list" {
        risk: Reads, effect: "reads a link", keys: [Link], request: [Parent],
    }
    /// Reads what the driver kept.
    StateGet = "state.get" {
        risk: Low, effect: "keeps things of its own", request: [State], in_create: true,
    }
    /// Keeps something for the network's next runs.
    StateSet = "state.set" {
        risk: Low, effect: "keeps things of its own", request: [State], in_create: true,
    }
    /// Removes what the driver kept.
    StateRemove = "state.remove" {
        risk: Low, effect: "keeps things of its own", request: [State], in_create: true,
    }
    /// Lists what the driver kept.
    StateKeys = "state.keys" {
        risk: Low, effect: "keeps things of its own", request: [State], in_create: true,
    }
    /// Writes a message.
    LogWrite = "log.write" {
        risk: Low, effect: "writes messages", request: [Messages], in_create: true,
    }
    /// What `create` returns: another interface of the host below the network.
    CreateParent = "create.parent" {
        risk: Medium, effect: "names the host's interface in the user's place", keys: [Link],
    }
    /// What `create` returns: other VRFs.
    CreateVrf = "create.vrf" {
        risk: Medium, effect: "names VRFs in the user's place", keys: [Link],
    }
    /// What `create` returns: another name for the host's end of veth pairs.
    CreateHostInterfaceName = "create.host-interface-name" {
        risk: Medium, effect: "names a link of the host in the user's place", keys: [Link],
    }
    /// What `create` returns: other addresses of the host for what leaves it.
    CreateOutboundAddress = "create.outbound-address" {
        risk: Medium, effect: "names addresses of the host in the user's place", keys: [Address],
        request: [OutboundAddresses],
    }
    /// What `create` returns: other secrets.
    CreateSecret = "create.secret" {
        risk: High, effect: "names secrets in the user's place", keys: [Secret], request: [Secrets],
    }
    /// What `create` returns: other subnets or gateways.
    CreateSubnets = "create.subnets" {
        risk: Medium, effect: "names subnets and gateways in the user's place", keys: [Address],
    }
    /// What `create` returns: other static routes.
    CreateRoutes = "create.routes" {
        risk: Medium, effect: "names routes in the user's place", keys: [Destination],
    }
    /// What `create` returns: other name servers for the network's containers.
    CreateNameServers = "create.name-servers" {
        risk: Medium, effect: "names name servers in the user's place", keys: [Address],
    }
    /// What `setup` returns: name servers for the container.
    AnswerDns = "answer.dns" {
        risk: Medium, effect: "gives the container name servers", keys: [Address],
        request: [NameServers],
    }
    /// What `setup` returns: search domains for the container.
    AnswerSearch = "answer.search" {
        risk: Low, effect: "gives the container search domains", request: [SearchDomains],
    }
}
