"""Each container has a link of its own to the host, which routes.

It is like CNI's plugin ptp. The host's end has the gateways' addresses without their
networks, and a route to each address of the container. The container reaches the gateways
directly, and its subnets through them.
"""

from collections.abc import Iterator
from dataclasses import replace

from wit_world.imports.links import Link, VethOptions
from wit_world.imports.types import (
    CreateRequest,
    Namespace,
    Network,
    NetworkChange,
    Request,
    Route,
    RouteKind,
    SetupAnswer,
    Subnet,
)

from wasmvark.behaviours import Behaviours
from wasmvark.calls import addresses, links, routes
from wasmvark.configure import (
    PLAIN_ROUTE,
    add_routes,
    ignore_router_advertisements,
    loosen_reverse_path,
)
from wasmvark.create import allocate_subnets, check_ipam, has_no_addresses, no_names
from wasmvark.dad import NO_DAD, Dad
from wasmvark.driver import Driver, no_name_servers
from wasmvark.errors import InvalidError
from wasmvark.filter import Filter
from wasmvark.nat import (
    Nat,
    check_outside_links,
    close_internal,
    forward,
    proxy_ndp,
    publish,
    routed_mtu,
    serve_names,
    trust,
)
from wasmvark.text import alone, is_v6, without_prefix

# The default of the option `masquerade`, as in CNI.
MASQUERADE = False


class Handler(Driver):
    """The driver."""

    def create(self, request: CreateRequest) -> list[NetworkChange]:
        """Check a new network, and give it the subnets that it lacks."""
        network = request.network
        Behaviours(request.options)
        Nat(request.options, MASQUERADE)
        Filter(request.options)
        check_outside_links(request)
        # Podman adds the gateways of other networks after `create`.
        if network.internal:
            check_gateways(network)
        # The host's end needs the gateway in internal networks, too.
        ipam = allocate_subnets(network, with_gateway=True)
        changes = [no_names()] if has_no_addresses(network, ipam) else []
        return changes if ipam is None else [*changes, ipam]

    def setup(self, request: Request) -> SetupAnswer:
        """Connect a container."""
        network = request.network
        check_ipam(network)
        check_gateways(network)
        behaviours = Behaviours(request.options)
        dad = NO_DAD.or_given(request.options)
        options = VethOptions(
            name=None,
            host_name=None,
            mac=request.mac,
            host_mac=None,
            mtu=routed_mtu(network, None),
        )
        pair = links.create_veth(options)
        # These are in place before anything can pass.
        close_internal(pair.host, network)
        Filter(request.options).apply(request)
        for end in (pair.host, pair.container):
            loosen_reverse_path(end)
        configure_host(pair.host, request, dad)
        configure_container(pair.container, request, behaviours, dad)
        behaviours.limit_port(pair.host)
        behaviours.wait_dad(pair.container)
        forward(request)
        proxy_ndp(request)
        trust(request, alone_only=True)
        Nat(request.options, MASQUERADE).translate_container(request)
        publish(pair.host, request)
        serve_names(pair.host, network)
        return no_name_servers()


def configure_host(link: Link, request: Request, dad: Dad) -> None:
    """Give the host's end the gateways' addresses and the routes to the container."""
    ignore_router_advertisements(link)
    dad.set(link, request.network)
    for _, gateway in subnets_with_gateways(request):
        options = dad.address_options(no_prefix_route=True)
        addresses.add(link, alone(gateway), options)
    # A route needs a link that is up.
    links.set_up(link)
    through = replace(PLAIN_ROUTE, link=link.name())
    for route in request.host_routes:
        routes.add(Namespace.HOST, route, through)


def configure_container(
    link: Link, request: Request, behaviours: Behaviours, dad: Dad
) -> None:
    """Give the container's end its addresses and routes."""
    dad.set(link, request.network)
    behaviours.tune(link, request)
    for address in request.addresses:
        addresses.add(link, address, dad.address_options(no_prefix_route=True))
    # A route needs a link that is up.
    links.set_up(link)
    through = replace(PLAIN_ROUTE, table=behaviours.source_table(request))
    direct = replace(through, link=request.interface_name)
    for subnet, gateway in subnets_with_gateways(request):
        routes.add(Namespace.CONTAINER, route_to(alone(gateway), None), direct)
        to_others = route_to(subnet, without_prefix(gateway))
        routes.add(Namespace.CONTAINER, to_others, through)
    add_routes(request, None, through)


def subnets_of(network: Network) -> list[Subnet]:
    """Return the subnets in which the container has addresses: all, or none."""
    return [] if network.ipam_driver == "none" else network.subnets


def subnets_with_gateways(request: Request) -> Iterator[tuple[str, str]]:
    """Return subnets and gateways of the families in which the container has an address."""
    families = {is_v6(address) for address in request.addresses}
    for subnet in subnets_of(request.network):
        if subnet.gateway is not None and is_v6(subnet.subnet) in families:
            yield subnet.subnet, subnet.gateway


def check_gateways(network: Network) -> None:
    """Check that each subnet has a gateway, which is the address of the host's end."""
    for subnet in subnets_of(network):
        if subnet.gateway is None:
            raise InvalidError(
                f"subnet {subnet.subnet} has no gateway, which the host's end of the link "
                "needs: give --gateway"
            )


def route_to(destination: str, gateway: str | None) -> Route:
    """Return a route to a network, through a gateway or directly."""
    return Route(destination, gateway, metric=None, kind=RouteKind.UNICAST)
