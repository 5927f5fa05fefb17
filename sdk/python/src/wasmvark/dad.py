"""Duplicate address detection (RFC 4862, section 5.4)."""

import contextlib

from wit_world.imports.addresses import AddressOptions
from wit_world.imports.links import Link
from wit_world.imports.types import Network

from wasmvark.calls import sysctl
from wasmvark.errors import NotFoundError, ReadOnlyError
from wasmvark.options import Options, parse_bool
from wasmvark.text import is_v6


class Dad:
    """Whether a link's IPv6 addresses wait until no other machine is known to have them.

    That takes a second or two.
    """

    def __init__(self, is_on: bool) -> None:
        """Turn it on or off."""
        self.is_on = is_on

    def or_given(self, options: Options) -> "Dad":
        """Return what the option `accept_dad` says, or else this default.

        It is off where Podman alone gives addresses, as with netavark, and on where other
        machines may have them.
        """
        given = parse_bool(options, "accept_dad")
        return self if given is None else Dad(given)

    def set(self, link: Link, network: Network) -> None:
        """Turn the detection off for a link of a network with IPv6.

        This is also for its link-local address, from which the host asks for a
        container's MAC address. It is called before the link is up. A kernel without IPv6
        has no detection. With a read-only `/proc/sys` the addresses of
        `address_options` can be used at once all the same.
        """
        if self.is_on or not any(is_v6(it.subnet) for it in network.subnets):
            return
        with contextlib.suppress(NotFoundError, ReadOnlyError):
            sysctl.set_accept_dad(link, False)

    def address_options(self, no_prefix_route: bool = False) -> AddressOptions:
        """Return the options of an address."""
        return AddressOptions(no_dad=not self.is_on, no_prefix_route=no_prefix_route)


DAD = Dad(is_on=True)
NO_DAD = Dad(is_on=False)
