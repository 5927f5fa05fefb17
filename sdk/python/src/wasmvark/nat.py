"""The connections between a network behind the host and other networks.

That are forwarding, source addresses and published ports.
"""

from ipaddress import IPv4Address, IPv6Address

from wit_world.imports.links import Link
from wit_world.imports.types import (
    CreateRequest,
    IpVersion,
    Namespace,
    Network,
    Port,
    Request,
)

from wasmvark.calls import dns, firewall, links, neighbours, sysctl
from wasmvark.errors import InvalidError
from wasmvark.options import Options, find, parse_bool, parse_ip
from wasmvark.text import alone, is_v6, without_prefix

# The options that name links of the host.
_NDP_PROXY = "ndp_proxy"
_PUBLISH_INTERFACE = "publish_interface"

# The smallest MTU of a link with IPv6 (RFC 8200, section 5), and the largest of a veth
# link (ETH_MAX_MTU).
_IPV6_MIN_MTU = 1280
_VETH_MAX_MTU = 65535


class Nat:
    """The parsed options `masquerade`, `outbound_addr4` and `outbound_addr6`."""

    def __init__(self, options: Options, masquerade: bool) -> None:
        """Parse the options. `masquerade` is the default of the first one."""
        self._outbound4 = parse_ip(options, "outbound_addr4", IPv4Address)
        self._outbound6 = parse_ip(options, "outbound_addr6", IPv6Address)
        is_given = (self._outbound4 or self._outbound6) is not None
        chosen = parse_bool(options, "masquerade")
        self._masquerade = (masquerade or is_given) if chosen is None else chosen
        if is_given and not self._masquerade:
            raise InvalidError(
                "outbound_addr4 and outbound_addr6 can't be given with masquerade=false, "
                "which leaves source addresses as they are"
            )

    def translate(self, network: Network) -> None:
        """Masquerade what leaves the network's subnets, or give it outbound addresses.

        This is for networks whose subnets belong to the driver alone.
        """
        self._translate([it.subnet for it in network.subnets], network)

    def translate_container(self, request: Request) -> None:
        """Do the same for the packets of one container."""
        self._translate([alone(it) for it in request.addresses], request.network)

    def _translate(self, sources: list[str], network: Network) -> None:
        if not self._masquerade or network.internal:
            return
        subnets = [it.subnet for it in network.subnets]
        for source in sources:
            outbound = self._outbound6 if is_v6(source) else self._outbound4
            if outbound is None:
                firewall.masquerade(source, subnets)
            else:
                firewall.source_address(source, subnets, outbound)


def trust(request: Request, alone_only: bool) -> None:
    """Have firewalld let the packets of the network's subnets pass.

    With `alone_only` it does so for those of the container. An internal network without
    name resolution reaches nothing that firewalld could keep from it.
    """
    network = request.network
    if network.internal and not network.dns:
        return
    subnets = [it.subnet for it in network.subnets]
    for source in map(alone, request.addresses) if alone_only else subnets:
        firewall.trust(source)


def check_outside_links(request: CreateRequest) -> None:
    """Refuse `ndp_proxy` and `publish_interface` for a network that nobody reaches."""
    for key in (_NDP_PROXY, _PUBLISH_INTERFACE):
        name = find(request.options, key)
        if name is not None and request.network.internal:
            raise InvalidError(
                f"{key} is not possible with --internal: no other machine reaches the "
                "containers of an internal network"
            )
        if name == "":
            raise InvalidError(f"{key} needs the name of an interface of the host")


def proxy_ndp(request: Request) -> None:
    """Have a link of the host answer for the container's IPv6 addresses (RFC 4389).

    The option `ndp_proxy` names it. Machines on that link then reach the container
    without a route. The host must forward packets.
    """
    name = find(request.options, _NDP_PROXY)
    addresses = [it for it in request.addresses if is_v6(it)]
    if name is None or not addresses:
        return
    link = links.get(Namespace.HOST, name)
    sysctl.set_proxy_ndp(link, True)
    for address in addresses:
        neighbours.add_proxy(link, without_prefix(address))


def publish(link: Link, request: Request) -> None:
    """Publish the request's ports to the container's first address of each family.

    The container is behind a link of the host. Internal networks publish nothing, as in
    netavark. Another network of the container may publish the ports.
    """
    if not request.ports or request.network.internal:
        return
    for v6 in (False, True):
        addresses = [it for it in request.addresses if is_v6(it) == v6]
        if not addresses:
            continue
        firewall.publish(link, request.ports, without_prefix(addresses[0]))
        is_everywhere = find(request.options, _PUBLISH_INTERFACE) is None
        if not v6 and is_everywhere and any(_is_local(it) for it in request.ports):
            # This is for connections to 127.0.0.1. The firewall drops packets to it from
            # elsewhere already.
            sysctl.set_route_localnet(link, True)


def _is_local(port: Port) -> bool:
    return port.host_address is None or not is_v6(port.host_address)


def close_internal(link: Link, network: Network) -> None:
    """Close an internal network behind a link of the host.

    The host itself stays within reach where the network has a gateway, which is the
    host's address there.
    """
    if network.internal:
        has_gateway = any(it.gateway is not None for it in network.subnets)
        firewall.internal(link, has_gateway)


def forward(request: Request) -> None:
    """Turn the host's forwarding on for the families of the container's addresses.

    Internal networks need none.
    """
    if request.network.internal:
        return
    for version, v6 in ((IpVersion.IPV4, False), (IpVersion.IPV6, True)):
        if any(is_v6(address) == v6 for address in request.addresses):
            sysctl.enable_ip_forward(Namespace.HOST, version)


def routed_mtu(network: Network, vrf: Link | None) -> int | None:
    """Return the MTU of new links whose packets the host routes.

    It is the user's, or else that of the default route's link, in the table of a VRF if
    one is given. Without a default route it is the kernel's. A network with IPv6
    addresses gets at least the MTU that IPv6 needs.
    """
    # 0 means the default, as in netavark's drivers.
    if network.mtu:
        return network.mtu
    least = _IPV6_MIN_MTU if any(is_v6(it.subnet) for it in network.subnets) else 0
    found = links.default_mtu(vrf)
    return None if found is None else min(max(found, least), _VETH_MAX_MTU)


def serve_names(link: Link, network: Network) -> None:
    """Have the container's names served on a link, if the user wants that.

    The DNS server listens on the network's gateways, so without one there are no names.
    """
    if network.dns and any(it.gateway is not None for it in network.subnets):
        dns.register(link)
