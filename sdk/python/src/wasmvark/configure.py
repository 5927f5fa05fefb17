"""The last steps of a setup, which are the same for every kind of link."""

import contextlib
from dataclasses import replace

from wit_world.imports.links import Link
from wit_world.imports.routes import RouteInfo, RouteOptions
from wit_world.imports.sysctl import ReversePath, RouterAdvertisements
from wit_world.imports.types import Namespace, Request

from wasmvark.calls import addresses, links, routes, sysctl
from wasmvark.dad import Dad
from wasmvark.errors import NotFoundError, ReadOnlyError
from wasmvark.options import U32
from wasmvark.text import is_v6

PLAIN_ROUTE = RouteOptions(
    table=None, scope=None, source=None, link=None, on_link=False, next_hops=[]
)
"""The options of a plain route."""

# The metric of routes without one, as in netavark.
_DEFAULT_METRIC = 100
# The metric of an IPv6 route with 0 (IP6_RT_PRIO_USER, `ipv6_route.h`).
_V6_METRIC = 1024


def configure(link: Link, request: Request, metric: int | None, dad: Dad) -> None:
    """Give the container's link its addresses, set it up and add the routes.

    `metric` is for default routes for which the user gave none. With `None`, it is that
    of netavark.
    """
    for address in request.addresses:
        addresses.add(link, address, dad.address_options())
    # A route needs a link that is up.
    links.set_up(link)
    add_routes(request, metric, None)


def add_routes(
    request: Request, metric: int | None, options: RouteOptions | None
) -> None:
    """Add the request's default and static routes in the container.

    If Podman chose no addresses, the container gets its addresses in another way, and no
    network leads to the gateways of static routes yet. The routes then name the link.
    """
    _add_default_routes(request, metric, options)
    given = options or PLAIN_ROUTE
    through_link = replace(given, link=request.interface_name, on_link=True)
    for route in request.routes:
        is_far = not request.addresses and route.gateway is not None
        routes.add(Namespace.CONTAINER, route, through_link if is_far else options)


def _add_default_routes(
    request: Request, metric: int | None, options: RouteOptions | None
) -> None:
    """Add the default routes behind those of the container's other networks.

    Two routes with one metric would compete: of IPv4 routes the kernel uses the later
    one, and of IPv6 routes it makes one multipath route. So each gets the next free
    metric, and none is lost when a network is disconnected.
    """
    if not request.default_routes:
        return
    there = routes.list(Namespace.CONTAINER, options.table if options else None)
    for route in request.default_routes:
        given = (route.metric, metric, _DEFAULT_METRIC)
        wanted = next(it for it in given if it is not None)
        free = _free_metric(there, route.destination, wanted)
        routes.add(Namespace.CONTAINER, replace(route, metric=free), options)


def _free_metric(there: list[RouteInfo], destination: str, wanted: int) -> int:
    """Return the first metric from the wanted one that no such route has."""
    taken = {
        info.route.metric for info in there if info.route.destination == destination
    }
    metric = wanted
    while _in_kernel(destination, metric) in taken and metric < U32[1]:
        metric = _in_kernel(destination, metric) + 1
    return metric


def _in_kernel(destination: str, metric: int) -> int:
    return _V6_METRIC if metric == 0 and is_v6(destination) else metric


def disable_autoconf(link: Link) -> None:
    """Turn autoconfiguration of IPv6 addresses off, because Podman chooses them.

    A kernel without IPv6 has none. A read-only `/proc/sys` is the operator's choice.
    """
    with contextlib.suppress(NotFoundError, ReadOnlyError):
        sysctl.set_autoconf(link, False)


def loosen_reverse_path(link: Link) -> None:
    """Make the kernel take IPv4 packets whose replies would leave by another link.

    Those of a container's second network do. If the host's reverse path filter is strict,
    the kernel drops them otherwise.
    """
    sysctl.set_rp_filter(link, ReversePath.LOOSE)


def announce_addresses(link: Link) -> None:
    """Make the kernel announce the link's addresses when the link is set up.

    Neighbours that have another MAC address for them then use the new one
    (containers/netavark#1114).
    """
    sysctl.set_arp_notify(link, True)
    # A kernel without IPv6 announces no IPv6 addresses.
    with contextlib.suppress(NotFoundError):
        sysctl.set_ndisc_notify(link, True)


def accept_router_advertisements(link: Link) -> None:
    """Take addresses and routes from router advertisements.

    The link also does if the container forwards packets.
    """
    sysctl.set_accept_ra(link, RouterAdvertisements.ALL)
    sysctl.set_autoconf(link, True)


def ignore_router_advertisements(link: Link) -> None:
    """Ignore router advertisements on a link.

    At the host's end, a container could otherwise become the host's router and get its
    traffic (CVE-2020-10749). A kernel without IPv6 ignores them anyway.
    """
    with contextlib.suppress(NotFoundError):
        sysctl.set_accept_ra(link, RouterAdvertisements.NONE)
