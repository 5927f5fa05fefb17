"""Each container gets a veth pair: one end in the container, the other one on the host."""

from dataclasses import replace

from wit_world.imports.addresses import AddressOptions
from wit_world.imports.links import VethOptions
from wit_world.imports.types import (
    CreateRequest,
    Namespace,
    NetworkChange,
    Request,
    SetupAnswer,
)

from wasmvark.calls import addresses, links, routes
from wasmvark.configure import PLAIN_ROUTE
from wasmvark.driver import Driver, no_name_servers
from wasmvark.errors import InvalidError
from wasmvark.text import alone

# Nobody else is on the link, so no address waits for duplicate address detection.
OWN = AddressOptions(no_dad=True, no_prefix_route=False)
# The host's routes are added one by one, so its addresses bring none.
GATEWAY = AddressOptions(no_dad=True, no_prefix_route=True)


class Handler(Driver):
    """The driver."""

    def create(self, request: CreateRequest) -> list[NetworkChange]:
        """Check a new network."""
        if not request.network.subnets:
            raise InvalidError("the network has no subnet: give --subnet")
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
        through = replace(PLAIN_ROUTE, link=pair.host.name())
        for route in request.host_routes:
            routes.add(Namespace.HOST, route, through)
        for address in request.addresses:
            addresses.add(pair.container, address, OWN)
        links.set_up(pair.container)
        for route in request.default_routes + request.routes:
            routes.add(Namespace.CONTAINER, route, None)
        return no_name_servers()
