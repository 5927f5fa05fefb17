"""Each container gets a link of its own on a link of the host.

It is a neighbour in the network of that link.
"""

from dataclasses import dataclass

from host_link import HostLink
from wit_world.imports.links import MacvlanMode, MacvlanOptions
from wit_world.imports.types import (
    CreateRequest,
    NetworkChange,
    Place,
    Request,
    SetupAnswer,
)

from wasmvark.behaviours import Behaviours
from wasmvark.calls import links
from wasmvark.create import WithoutSubnets, changes_on_parent
from wasmvark.dhcp import check_ipam_or_dhcp, lease
from wasmvark.driver import Driver, no_name_servers
from wasmvark.errors import InvalidError
from wasmvark.filter import Filter
from wasmvark.options import (
    I32,
    MACVLAN_MODES,
    Options,
    choose,
    find,
    parse_int,
    refused,
)
from wasmvark.parent import PARENT_METRIC, check_parent_or_base, find_or_make_parent


class Handler(Driver):
    """The driver."""

    def create(self, request: CreateRequest) -> list[NetworkChange]:
        """Check a new network."""
        network = request.network
        check_parent_or_base(network)
        changes = changes_on_parent(request, WithoutSubnets.DHCP)
        Behaviours(request.options)
        host_link = HostLink(request.options, Mode.parse(request.options).mode)
        host_link.check(network)
        Filter(request.options)
        return changes

    def setup(self, request: Request) -> SetupAnswer:
        """Connect a container."""
        network = request.network
        check_ipam_or_dhcp(network)
        mode = Mode.parse(request.options)
        host_link = HostLink(request.options, mode.mode)
        host_link.check(network)
        behaviours = Behaviours(request.options)
        filters = Filter(request.options)
        parent = find_or_make_parent(network)
        options = MacvlanOptions(
            mode=mode.mode,
            mac=request.mac,
            mtu=network.mtu,
            broadcast_limit=mode.broadcast_limit,
            broadcast_queue_length=mode.broadcast_queue_length,
        )
        link = links.create_macvlan(Place.CONTAINER, None, parent, options)
        # This is in place before anything can pass.
        filters.apply_in_container(link)
        behaviours.accept_ra(link)
        behaviours.announce(link)
        behaviours.configure(link, request, PARENT_METRIC)
        lease(link, parent, network)
        behaviours.limit(link)
        host_link.configure(parent, request)
        behaviours.wait_dad(link)
        return no_name_servers()


@dataclass(frozen=True)
class Mode:
    """The mode of the links, and how they treat broadcasts."""

    mode: MacvlanMode
    broadcast_limit: int | None
    broadcast_queue_length: int | None

    @staticmethod
    def parse(options: Options) -> "Mode":
        """Parse the options."""
        mode = choose(options, "mode", MACVLAN_MODES)
        check_senders(options, mode)
        return Mode(
            mode=mode,
            broadcast_limit=parse_int(options, "bclim", I32),
            broadcast_queue_length=parse_int(options, "bcqueuelen"),
        )


def check_senders(options: Options, mode: MacvlanMode) -> None:
    """Check the MAC addresses whose frames a link of the mode `source` gets.

    The host lists them.
    """
    text = find(options, "macaddr")
    if text is None:
        return
    if mode is not MacvlanMode.SOURCE:
        raise InvalidError(
            "macaddr needs mode source: with others, frames of all senders come in"
        )
    if not all(is_sender(word.strip()) for word in text.split(",")):
        raise refused(
            "macaddr",
            text,
            "a list of MAC addresses that frames can come from, with commas between them",
        )


def is_sender(text: str) -> bool:
    """Tell whether a frame can come from a MAC address: not a group's, and not zero."""
    parts = text.replace("-", ":").split(":")
    if len(parts) != 6 or any(len(part) != 2 for part in parts):
        return False
    try:
        address = bytes.fromhex("".join(parts))
    except ValueError:
        return False
    return any(address) and address[0] & 1 == 0
