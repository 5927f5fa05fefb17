"""Filters of a container's connections, by lists of those that may pass.

This is like CNI's plugin firewall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wit_world.imports import types
from wit_world.imports.firewall import Direction, LinkTraffic, PortRange, Traffic
from wit_world.imports.links import Link
from wit_world.imports.types import Request

from wasmvark.calls import firewall
from wasmvark.errors import InvalidError
from wasmvark.options import Options, find, refused
from wasmvark.text import is_v6, parse_address, parse_number, without_prefix

# The value that lets nothing pass.
_NOTHING = "none"
# For type checkers, that of `typing` hides the generated module's own.
_Protocol: Any = getattr(types, "Protocol")  # noqa: B009
_PROTOCOLS = {
    "tcp": _Protocol.TCP,
    "udp": _Protocol.UDP,
    "sctp": _Protocol.SCTP,
}


@dataclass(frozen=True)
class _Item:
    """One item of a list: connections that may pass."""

    protocol: Any
    ports: list[PortRange]
    peer: str | None

    def fits(self, address: str) -> bool:
        """Tell whether both ends have the same address family."""
        return self.peer is None or is_v6(self.peer) == is_v6(address)


class Filter:
    """The parsed options `incoming` and `outgoing`."""

    def __init__(self, options: Options) -> None:
        """Parse the options."""
        self._lists: Sequence[tuple[Direction, list[_Item] | None]] = (
            (Direction.INCOMING, _list(options, "incoming")),
            (Direction.OUTGOING, _list(options, "outgoing")),
        )

    def apply(self, request: Request) -> None:
        """Accept the connections in the lists, and drop all others, on the host.

        It is for links whose packets the host sends, receives or forwards. It raises
        `InvalidError` if the container has no address from Podman, so that no rule would be
        for it.
        """
        if not request.addresses and any(items is not None for _, items in self._lists):
            raise InvalidError(
                "incoming and outgoing are for the container's addresses, and Podman gave "
                "it none"
            )
        for direction, items in self._lists:
            if items is None:
                continue
            for address in map(without_prefix, request.addresses):
                for item in (it for it in items if it.fits(address)):
                    firewall.accept(
                        Traffic(
                            direction, address, item.peer, item.protocol, item.ports
                        )
                    )
                firewall.drop(Traffic(direction, address, None, None, []))

    def apply_in_container(self, link: Link) -> None:
        """Accept the connections in the lists over a link, and drop all others.

        The filter is in the container's namespace. It is for links whose packets don't
        pass the host's firewall, and must be called before the link is set up.
        """
        for direction, items in self._lists:
            if items is None:
                continue
            for item in items:
                firewall.accept_in_container(
                    link, LinkTraffic(direction, item.peer, item.protocol, item.ports)
                )
            firewall.drop_in_container(link, LinkTraffic(direction, None, None, []))


def _list(options: Options, key: str) -> list[_Item] | None:
    text = find(options, key)
    if text is None:
        return None
    if text == _NOTHING:
        return []
    items = [_item(key, word) for word in text.split()]
    if not items:
        raise InvalidError(
            f'unable to parse "{key}": it names nothing; to let nothing through, give '
            f"{_NOTHING}"
        )
    return items


def _item(key: str, text: str) -> _Item:
    expected = "like tcp/443, udp/8000-8100, tcp, tcp/443@10.0.0.0/8 or any@fd00::/8"
    what, at, peer_text = text.partition("@")
    name, slash, ports_text = what.partition("/")
    peer = _network(peer_text) if at else None
    ports = _range(ports_text) if slash else None
    is_known = name in _PROTOCOLS or (name == "any" and not slash)
    if not is_known or (at and peer is None) or (slash and ports is None):
        raise refused(key, text, expected)
    return _Item(_PROTOCOLS.get(name), [ports] if ports else [], peer)


def _range(text: str) -> PortRange | None:
    """Return a port or a range of ports, as `443` or `8000-8100`."""
    first_text, dash, last_text = text.partition("-")
    first = parse_number(first_text, 0, 65535)
    last = parse_number(last_text, 0, 65535) if dash else first
    if first is None or last is None or first > last:
        return None
    return PortRange(first, last)


def _network(text: str) -> str | None:
    """Return an address or a network with its prefix length."""
    address, slash, length_text = text.partition("/")
    parsed = parse_address(address)
    if parsed is None:
        return None
    longest = parsed.max_prefixlen
    length = parse_number(length_text, 0, longest) if slash else longest
    return None if length is None else f"{address}/{length}"
