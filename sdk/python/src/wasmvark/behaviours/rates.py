"""Limits of a container's sending and receiving rates.

This is like CNI's plugin bandwidth.
"""

from collections.abc import Iterator
from ipaddress import ip_network

from wit_world.imports.links import Link, PlainOptions
from wit_world.imports.traffic import HtbFlow, Shape, TbfOptions
from wit_world.imports.types import Place

from wasmvark.calls import links, traffic
from wasmvark.errors import InvalidError
from wasmvark.options import U32, Options, find, refused
from wasmvark.text import parse_number

# The time that a packet may wait in the queue, in milliseconds. With CNI's 25 ms, a TCP
# connection reaches only four fifths of the rate, because it slows down at every lost
# packet.
_LATENCY = 100
# The smallest default burst in bytes, which is some of the largest usual packets.
_SMALLEST_BURST = 32 * 1024
# The number of default bursts per second at the full rate. The kernel refills the bucket
# at least 100 times per second.
_BURSTS_A_SECOND = 50
# The most subnets of an option.
_SUBNETS_MAX = 100
# All packets of a family.
_FAMILIES = ("0.0.0.0/0", "::/0")

_SHAPED = "shaped_subnets"
_UNSHAPED = "unshaped_subnets"


class Rates:
    """The parsed options of rates. As in CNI, `ingress` is what the container receives."""

    def __init__(self, options: Options) -> None:
        """Parse the options."""
        self._ingress = _limit(options, "ingress_rate", "ingress_burst")
        self._egress = _limit(options, "egress_rate", "egress_burst")
        self._shaped = _subnets(options, _SHAPED)
        self._unshaped = _subnets(options, _UNSHAPED)
        if self._shaped and self._unshaped:
            raise InvalidError(f"{_SHAPED} and {_UNSHAPED} can't be given together")
        if self._is_partial and not (self._ingress or self._egress):
            key = _SHAPED if self._shaped else _UNSHAPED
            raise InvalidError(f"{key} needs ingress_rate or egress_rate")

    @property
    def _is_partial(self) -> bool:
        return bool(self._shaped or self._unshaped)

    def limit(self, link: Link) -> None:
        """Limit the rates at the container's own link."""
        if self._egress:
            self._limit_sending(link, self._egress, to_remote=True)
        if self._ingress:
            self._limit_receiving(link, Place.CONTAINER, self._ingress, to_remote=False)

    def limit_port(self, port: Link) -> None:
        """Limit the rates at the peer on the host, where the directions are reversed."""
        if self._ingress:
            self._limit_sending(port, self._ingress, to_remote=False)
        if self._egress:
            self._limit_receiving(port, Place.HOST, self._egress, to_remote=True)

    def _limit_sending(self, link: Link, shape: Shape, to_remote: bool) -> None:
        """Limit the packets that a link sends. A limit for some of them needs classes."""
        if not self._is_partial:
            traffic.set_tbf(link, TbfOptions(shape, _LATENCY))
            return
        traffic.set_htb(link, shape)
        for subnet, flow in self._flows():
            source, destination = (None, subnet) if to_remote else (subnet, None)
            traffic.add_htb_filter(link, source, destination, flow)

    def _limit_receiving(
        self, link: Link, place: Place, shape: Shape, to_remote: bool
    ) -> None:
        """Limit the packets that a link receives: an ifb link gets and limits them."""
        ifb = links.create_ifb(place, None, PlainOptions(mac=None, mtu=None))
        self._limit_sending(ifb, shape, to_remote)
        links.set_up(ifb)
        traffic.redirect_ingress(link, ifb)

    def _flows(self) -> Iterator[tuple[str, HtbFlow]]:
        """Return the subnets of the other end, and how their packets are treated."""
        for subnet in self._shaped:
            yield subnet, HtbFlow.REST
        for subnet in _FAMILIES if self._shaped else self._unshaped:
            yield subnet, HtbFlow.DIRECT


def _limit(options: Options, rate_key: str, burst_key: str) -> Shape | None:
    burst = _number(options, burst_key, 1024)
    rate = _number(options, rate_key, 1000)
    if rate is None:
        if burst is not None:
            raise InvalidError(f"{burst_key} needs {rate_key}")
        return None
    if rate < 8:
        raise InvalidError(
            f"{rate_key} is in bits per second, at least 8: {rate} is too low"
        )
    if burst is None:
        burst = max(rate // 8 // _BURSTS_A_SECOND, _SMALLEST_BURST)
    last = U32[1]
    if not 0 < burst <= last:
        raise InvalidError(
            f"{burst_key} is in bytes, from 1 to {last}: {burst} is not possible; it takes "
            f"{burst_key} to go with a high {rate_key}"
        )
    return Shape(rate, burst)


def _number(options: Options, key: str, step: int) -> int | None:
    """Return a number that may end with `k`, `m` or `g`. `step` is the factor of `k`."""
    text = find(options, key)
    if text is None:
        return None
    digits, factor = text.strip().lower(), 1
    for power, unit in enumerate("kmg", start=1):
        if digits.endswith(unit):
            digits, factor = digits.removesuffix(unit), step**power
            break
    number = parse_number(digits, 0, (2**64 - 1) // factor)
    if number is None:
        raise refused(key, text, "a whole number, which may end with k, m or g")
    return number * factor


def _subnets(options: Options, key: str) -> list[str]:
    """Return a list of subnets. An empty one counts as absent."""
    text = find(options, key) or ""
    words = text.split()
    if len(words) > _SUBNETS_MAX or not all(map(_is_subnet, words)):
        raise refused(
            key,
            text,
            f"a list of at most {_SUBNETS_MAX} subnets, with spaces between them",
        )
    return words


def _is_subnet(word: str) -> bool:
    _, slash, length = word.partition("/")
    if not slash or parse_number(length, 0, 128) is None or "%" in word:
        return False
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return True
