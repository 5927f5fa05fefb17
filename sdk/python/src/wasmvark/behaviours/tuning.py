"""Properties of a container's link, and kernel settings of its namespace.

This is like CNI's plugin tuning.
"""

from wit_world.imports.links import Link
from wit_world.imports.types import Namespace

from wasmvark.calls import links, sysctl
from wasmvark.errors import InvalidError
from wasmvark.options import Options, parse_bool, parse_int
from wasmvark.text import quote

# The prefix of options for kernel settings.
_SYSCTL = "sysctl."
# The placeholder for the name of the container's interface, as in CNI.
_INTERFACE = "IFNAME"


class Tuning:
    """The parsed options of tuning."""

    def __init__(self, options: Options) -> None:
        """Parse the options."""
        given = (it for it in options if it.key.startswith(_SYSCTL))
        self._sysctls = [(_key(it.key), it.value) for it in given]
        self._queue_length = parse_int(options, "txqlen")
        self._promiscuous = parse_bool(options, "promisc")
        self._all_multicast = parse_bool(options, "allmulti")

    def apply(self, link: Link, interface: str) -> None:
        """Apply them to a link, which has this name in the container."""
        if self._queue_length is not None:
            links.set_tx_queue_length(link, self._queue_length)
        if self._promiscuous is not None:
            links.set_promiscuous(link, self._promiscuous)
        if self._all_multicast is not None:
            links.set_all_multicast(link, self._all_multicast)
        for key, value in self._sysctls:
            sysctl.set(Namespace.CONTAINER, _with_name(key, interface), value)


def _key(option: str) -> str:
    """Return the setting's key in the form of sysctl(8).

    Keys that don't belong to a network namespace are refused, because they would apply
    to the whole machine.
    """
    key = option.removeprefix(_SYSCTL)
    first, *rest = key.split(".")
    if first != "net" or len(rest) < 2 or not all(rest):
        raise InvalidError(
            f"option {option}: {quote(key)} is no setting of a network namespace: those "
            f"are called net.…, for example net.ipv4.conf.{_INTERFACE}.arp_filter"
        )
    return key


def _with_name(key: str, interface: str) -> str:
    """Return the key with the interface's name.

    A dot in the name becomes a slash, because dots separate the parts of a key.
    """
    name = interface.replace(".", "/")
    parts = (name if part == _INTERFACE else part for part in key.split("."))
    return ".".join(parts)
