"""Source routing, for containers on several networks.

The network's routes apply only to packets from the container's addresses on it. This is
like CNI's plugin sbr.
"""

from dataclasses import replace

from wit_world.imports.links import Link
from wit_world.imports.routes import RouteOptions
from wit_world.imports.rules import Rule, RuleInfo
from wit_world.imports.types import IpVersion, Namespace, Request, Route, RouteKind

from wasmvark.calls import addresses, links, routes, rules
from wasmvark.configure import PLAIN_ROUTE, add_routes
from wasmvark.dad import Dad
from wasmvark.errors import InvalidError
from wasmvark.options import Options, parse_bool, parse_int
from wasmvark.text import alone, is_v6, network

# The first table that is chosen, as in CNI.
_FIRST_TABLE = 100
# The tables to which the kernel gives a meaning.
_KERNEL_TABLES = (0, 253, 254, 255)
# The priority right before the main table's rule.
_BEFORE_MAIN = 32765
# The metrics of the kernel's own prefix routes.
_PREFIX_METRIC, _PREFIX_METRIC_V6 = 0, 256


class SourceRouting:
    """The parsed options of source routing."""

    def __init__(self, table: int | None) -> None:
        """Use a table, or with `None` the first unused one."""
        self._table = table

    @staticmethod
    def parse(options: Options) -> "SourceRouting | None":
        """Parse the options. Without source routing, it returns `None`."""
        table = parse_int(options, "source_table")
        if not parse_bool(options, "source_routing"):
            if table is not None:
                raise InvalidError("source_table needs source_routing=true")
            return None
        if table in _KERNEL_TABLES:
            raise InvalidError(
                f"source_table {table} is not possible: the kernel has it for all packets"
            )
        return SourceRouting(table)

    def configure(
        self, link: Link, request: Request, metric: int | None, dad: Dad
    ) -> None:
        """Give the link its addresses, set it up, and add routes to a table of its own."""
        for address in request.addresses:
            addresses.add(link, address, dad.address_options(no_prefix_route=True))
        # A route needs a link that is up.
        links.set_up(link)
        options = replace(PLAIN_ROUTE, table=self.add_rules(request))
        for address in request.addresses:
            _add_direct_route(address, request, options)
        add_routes(request, metric, options)

    def add_rules(self, request: Request) -> int:
        """Add rules that route packets from the container's addresses by a table.

        It returns the table.
        """
        there = rules.list(Namespace.CONTAINER)
        table = _free_table(there) if self._table is None else self._table
        versions = (IpVersion.IPV4, IpVersion.IPV6)
        priorities = [_priority_before(there, version) for version in versions]
        for address in request.addresses:
            v6 = is_v6(address)
            rule = Rule(
                version=None,
                source=alone(address),
                destination=None,
                incoming_link=None,
                outgoing_link=None,
                mark=None,
                priority=priorities[v6],
                table=table,
            )
            rules.add(Namespace.CONTAINER, rule)
            priorities[v6] = max(priorities[v6] - 1, 0)
        return table


def _free_table(there: list[RuleInfo]) -> int:
    """Return the first table that no rule uses and that has no routes."""
    used = {info.rule.table for info in there} | set(_KERNEL_TABLES)
    table = _FIRST_TABLE
    while table in used or routes.list(Namespace.CONTAINER, table):
        table += 1
    return table


def _priority_before(there: list[RuleInfo], version: IpVersion) -> int:
    """Return the priority that the kernel would give a rule without one.

    Such a rule comes second, after the rule of the table `local`.
    """
    of_version = [info.rule for info in there if info.rule.version == version]
    return max(of_version[1].priority - 1, 0) if len(of_version) > 1 else _BEFORE_MAIN


def _add_direct_route(address: str, request: Request, options: RouteOptions) -> None:
    """Add the route through the link to the network of an address."""
    destination = network(address)
    if destination is None:
        return
    metric = _PREFIX_METRIC_V6 if is_v6(destination) else _PREFIX_METRIC
    route = Route(destination, gateway=None, metric=metric, kind=RouteKind.UNICAST)
    options = replace(options, link=request.interface_name)
    routes.add(Namespace.CONTAINER, route, options)
