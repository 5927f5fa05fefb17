"""Addresses and networks as text."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface


def is_v6(address: str) -> bool:
    """Tell whether an address or a network is IPv6."""
    return ":" in address


def without_prefix(address: str) -> str:
    """Return an address without its prefix length."""
    return address.partition("/")[0]


def alone(address: str) -> str:
    """Return the network that contains only an address."""
    address = without_prefix(address)
    return f"{address}/{128 if is_v6(address) else 32}"


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, or `None` if the text is none."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def parse_number(text: str, first: int, last: int) -> int | None:
    """Return a whole number in a range, or `None` if the text is none."""
    digits = text.removeprefix("-") if first < 0 else text
    digits = digits if digits != text else text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = int(text)
    return number if first <= number <= last else None


def network(address: str) -> str | None:
    """Return the network of an address with a prefix length.

    It is `None` if the network contains only the address.
    """
    parsed = ip_interface(address).network
    return None if parsed.prefixlen == parsed.max_prefixlen else str(parsed)


def quote(text: str) -> str:
    """Return a text in quotation marks."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
