"""Each container gets a veth pair: one end in the container, the other one on the host."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import addresses, links, routes
from wit_world.imports.addresses import AddressOptions
from wit_world.imports.links import VethOptions
from wit_world.imports.routes import RouteOptions
from wit_world.imports.types import (
    CreateRequest,
    Error_Invalid,
    Namespace,
    NetworkChange,
    Request,
    SetupAnswer,
)

# Nobody else is on the link, so no address waits for duplicate address detection.
OWN = AddressOptions(no_dad=True, no_prefix_route=False)
# The host's routes are added one by one, so its addresses bring none.
GATEWAY = AddressOptions(no_dad=True, no_prefix_route=True)


class Handler(exports.Handler):
    def create(self, request: CreateRequest) -> list[NetworkChange]:
        """Check a new network."""
        if not request.network.subnets:
            raise Err(Error_Invalid("the network has no subnet: give --subnet"))
        return []

    def setup(self, request: Request) -> SetupAnswer:
        """Connect a container."""
        options = VethOptions(
            name=None,
            host_name=None,
            mac=request.mac,
            host_mac=None,
            mtu=request.network.mtu,
        )
        pair = links.create_veth(options)
        for subnet in request.network.subnets:
            if subnet.gateway is not None:
                addresses.add(pair.host, alone(subnet.gateway), GATEWAY)
        links.set_up(pair.host)
        for route in request.host_routes:
            routes.add(Namespace.HOST, route, through(pair.host.name()))
        for address in request.addresses:
            addresses.add(pair.container, address, OWN)
        links.set_up(pair.container)
        for route in request.default_routes + request.routes:
            routes.add(Namespace.CONTAINER, route, None)
        return SetupAnswer(dns_servers=[], search_domains=[])

    def teardown(self, request: Request) -> None:
        """Do nothing: the host undoes what `setup` did."""


def alone(address: str) -> str:
    """Return an address with the prefix length that means it alone."""
    address = address.partition("/")[0]
    return f"{address}/{128 if ':' in address else 32}"


def through(link: str) -> RouteOptions:
    """Return the options of a route through a link."""
    return RouteOptions(
        table=None, scope=None, source=None, link=link, on_link=False, next_hops=[]
    )
