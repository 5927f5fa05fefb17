"""Options. The host has checked that each value is one that the manifest declares."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from wit_world.imports.links import MacvlanMode
from wit_world.imports.types import RequestOption

from wasmvark.errors import InvalidError
from wasmvark.text import parse_address, parse_number, quote

Options = Sequence[RequestOption]
_T = TypeVar("_T")

U32 = (0, 2**32 - 1)
I32 = (-(2**31), 2**31 - 1)

MACVLAN_MODES: Mapping[str, MacvlanMode] = {
    "bridge": MacvlanMode.BRIDGE,
    "private": MacvlanMode.PRIVATE,
    "vepa": MacvlanMode.VEPA,
    "passthru": MacvlanMode.PASSTHRU,
    "source": MacvlanMode.SOURCE,
}
"""The values of an option for the mode of macvlan links. The first is the default."""

# Go's words for truth values (`strconv.ParseBool`), which Podman takes for its own drivers.
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


def find(options: Options, key: str) -> str | None:
    """Return the value of an option."""
    return next((option.value for option in options if option.key == key), None)


def refused(key: str, text: str, expected: str) -> InvalidError:
    """Return the error for a value that an option can't have."""
    return InvalidError(f'unable to parse "{key}": {quote(text)} is not {expected}')


def parse_bool(options: Options, key: str) -> bool | None:
    """Return the value of an option that is a truth value, if it is given."""
    text = find(options, key)
    if text is None:
        return None
    if text.strip() in _TRUE:
        return True
    if text.strip() in _FALSE:
        return False
    raise refused(key, text, "true or false")


def parse_int(options: Options, key: str, limits: tuple[int, int] = U32) -> int | None:
    """Return the value of an option that is a whole number, if it is given."""
    text = find(options, key)
    if text is None:
        return None
    first, last = limits
    number = parse_number(text.strip(), first, last)
    if number is None:
        raise refused(key, text, f"a whole number from {first} to {last}")
    return number


def parse_ip(
    options: Options, key: str, family: type[IPv4Address] | type[IPv6Address]
) -> str | None:
    """Return the value of an option that is an address, if it is given."""
    text = find(options, key)
    if text is None:
        return None
    address = parse_address(text)
    if not isinstance(address, family):
        version = 4 if family is IPv4Address else 6
        raise refused(key, text, f"an IPv{version} address")
    return str(address)


def choose(options: Options, key: str, choices: Mapping[str, _T]) -> _T:
    """Return the choice that an option names.

    It is the first one if the option is missing or empty.
    """
    word = find(options, key) or next(iter(choices))
    if word not in choices:
        raise refused(key, word, f"one of {', '.join(choices)}")
    return choices[word]
