"""Behaviours: options that every driver can offer, for a network or a container.

They are like CNI's plugins tuning, bandwidth and sbr.
"""

from wit_world.imports.links import Link
from wit_world.imports.types import Request

from wasmvark.behaviours.rates import Rates
from wasmvark.behaviours.source_routing import SourceRouting
from wasmvark.behaviours.tuning import Tuning
from wasmvark.calls import addresses
from wasmvark.configure import (
    accept_router_advertisements,
    announce_addresses,
    configure,
    disable_autoconf,
    ignore_router_advertisements,
)
from wasmvark.dad import DAD, Dad
from wasmvark.options import Options, parse_bool

# The longest wait for duplicate address detection, in milliseconds. It waits at most one
# second before its probe (RFC 4862, section 5.4.2) and one second for an answer (RFC 4861,
# section 10), after the link has a carrier.
_DAD_MAX = 5000


class Behaviours:
    """The parsed options of behaviours.

    A manifest declares them under `behaviours`. What it doesn't declare isn't given.
    """

    def __init__(self, options: Options) -> None:
        """Parse the options. It raises `InvalidError` if they don't go together."""
        self._tuning = Tuning(options)
        self._rates = Rates(options)
        self._source_routing = SourceRouting.parse(options)
        self._announce = parse_bool(options, "announce")
        self._wait_dad = parse_bool(options, "wait_dad")
        self._accept_ra = parse_bool(options, "accept_ra")

    def tune(self, link: Link, request: Request) -> None:
        """Set the properties and kernel settings that the options give the link.

        It must be called before the link has addresses. Router advertisements add no
        addresses, unless the option `accept_ra` says so, because Podman chooses them.
        """
        if self._accept_ra is not True:
            disable_autoconf(link)
        self._tuning.apply(link, request.interface_name)

    def accept_ra(self, link: Link) -> None:
        """Take or ignore router advertisements, if the option is given.

        It must be called before the link is up.
        """
        if self._accept_ra is True:
            accept_router_advertisements(link)
        elif self._accept_ra is False:
            ignore_router_advertisements(link)

    def announce(self, link: Link) -> None:
        """Have the kernel announce the link's addresses, if the option is given."""
        if self._announce:
            announce_addresses(link)

    def wait_dad(self, link: Link) -> None:
        """Wait until the link's IPv6 addresses can be used, if the option is given.

        It fails if another machine has one of them.
        """
        if self._wait_dad:
            addresses.wait_dad(link, _DAD_MAX)

    def configure(
        self, link: Link, request: Request, metric: int | None, dad: Dad = DAD
    ) -> None:
        """Tune the link, give it its addresses, set it up and add the routes.

        With source routing, the routes apply only to packets from the link's addresses.
        `metric` is for default routes for which the user gave none.
        """
        self.tune(link, request)
        if self._source_routing is None:
            configure(link, request, metric, dad)
        else:
            self._source_routing.configure(link, request, metric, dad)

    def source_table(self, request: Request) -> int | None:
        """Add the rules of source routing, and return the table of its routes.

        It returns `None` if the option isn't given.
        """
        routing = self._source_routing
        return None if routing is None else routing.add_rules(request)

    def limit(self, link: Link) -> None:
        """Limit the rates of a link of the container."""
        self._rates.limit(link)

    def limit_port(self, port: Link) -> None:
        """Limit the rates of a link of the container, at its peer on the host."""
        self._rates.limit_port(port)
