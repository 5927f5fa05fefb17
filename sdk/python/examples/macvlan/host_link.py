"""The host's link beside the containers.

The kernel passes nothing between macvlan links and their parent, so that the host needs a
macvlan link of its own to reach them.
"""

import contextlib
from dataclasses import replace

from wit_world.imports.links import Link, MacvlanMode, MacvlanOptions
from wit_world.imports.types import Namespace, Network, Place, Request

from wasmvark.calls import addresses, links, routes, sysctl
from wasmvark.configure import PLAIN_ROUTE
from wasmvark.dad import NO_DAD
from wasmvark.errors import ExistsError, InvalidError
from wasmvark.options import Options, find, refused
from wasmvark.stable_mac import stable_mac
from wasmvark.text import alone, is_v6, parse_address, without_prefix

# The option that names the host's addresses.
HOST_ADDRESS = "host_address"


class HostLink:
    """The parsed option: at most one address of the host of each version."""

    def __init__(self, options: Options, mode: MacvlanMode) -> None:
        """Parse the option."""
        text = find(options, HOST_ADDRESS)
        self._addresses: list[str] = []
        if text is None:
            return
        found = [parse_address(word) for word in text.split()]
        versions = [address.version for address in found if address is not None]
        if len(versions) != len(found) or sorted(set(versions)) != sorted(versions):
            raise _refused(text)
        if not found:
            raise _refused(text)
        if mode is not MacvlanMode.BRIDGE:
            raise InvalidError(
                f"{HOST_ADDRESS} needs mode bridge: with others, macvlan links of a parent "
                "don't reach each other"
            )
        self._addresses = [str(address) for address in found]

    def check(self, network: Network) -> None:
        """Check that the user named the parent.

        Only its networks may be shared with the host's link.
        """
        if self._addresses and network.parent is None:
            raise InvalidError(
                f"{HOST_ADDRESS} needs a parent that you name: give -o parent=NAME"
            )

    def configure(self, parent: Link, request: Request) -> None:
        """Give the host its link, with its addresses and routes to this container's.

        The network's containers share it.
        """
        if not self._addresses:
            return
        options = MacvlanOptions(
            mode=MacvlanMode.BRIDGE,
            mac=stable_mac(request),
            mtu=request.network.mtu,
            broadcast_limit=None,
            broadcast_queue_length=None,
        )
        link = links.create_macvlan(Place.SHARED, None, parent, options)
        self._prepare(link)
        through = replace(PLAIN_ROUTE, link=link.name())
        versions = {is_v6(address) for address in self._addresses}
        for route in request.host_routes:
            if is_v6(route.destination) in versions:
                self._check_other(without_prefix(route.destination))
                routes.add(Namespace.HOST, route, through)

    def _prepare(self, link: Link) -> None:
        """Give the link the addresses, and set it up.

        An earlier container may have done so.
        """
        # Otherwise others on the wire could take this link's MAC address for the host's.
        sysctl.set_arp_ignore(link, True)
        for address in self._addresses:
            with contextlib.suppress(ExistsError):
                addresses.add(link, alone(address), NO_DAD.address_options())
        links.set_up(link)

    def _check_other(self, address: str) -> None:
        if any(parse_address(it) == parse_address(address) for it in self._addresses):
            raise InvalidError(
                f"{address} is the host's by the option {HOST_ADDRESS}: keep it out of the "
                "addresses for containers, by --ip-range"
            )


def _refused(text: str) -> InvalidError:
    return refused(
        HOST_ADDRESS,
        text,
        "an IP address, or one of each version with a space between them",
    )
