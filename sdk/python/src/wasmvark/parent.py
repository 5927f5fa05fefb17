"""Parents of containers' links, which may be VLANs that the network makes."""

from wit_world.imports.links import Link, VlanOptions, VlanProtocol
from wit_world.imports.types import Namespace, Network, Place

from wasmvark.calls import links
from wasmvark.create import check_parent
from wasmvark.errors import DeniedError, DriverError, ExistsError, NotFoundError
from wasmvark.text import parse_number

PARENT_METRIC = 99
"""The metric of default routes through a link on a parent.

It is below the usual 100, so that the route wins over one of a bridge network
(containers/podman#23984).
"""

# The highest number of a VLAN (IEEE 802.1Q).
_VLAN_MAX = 4094


def find_parent(network: Network) -> Link:
    """Return the user's parent, or else the default route's link."""
    if network.parent is None:
        return links.get_default()
    return links.get(Namespace.HOST, network.parent)


def find_or_make_parent(network: Network) -> Link:
    """Return the user's parent, or else the default route's link.

    A VLAN that is missing is made, and goes with the network's last container.
    """
    vlan = _vlan_of(network)
    if vlan is None:
        return find_parent(network)
    name, base_name, number = vlan
    try:
        base = links.get(Namespace.HOST, base_name)
    except NotFoundError:
        return find_parent(network)
    options = VlanOptions(id=number, protocol=VlanProtocol.DOT1Q, mac=None, mtu=None)
    try:
        link = links.create_vlan(Place.SHARED, name, base, options)
    except ExistsError:
        # Somebody else has made it, and it stays.
        return find_parent(network)
    except DeniedError as denied:
        return _there(network, denied)
    links.set_up(link)
    return link


def _there(network: Network, denied: DeniedError) -> Link:
    # It may be there, so that the call isn't needed.
    try:
        return find_parent(network)
    except DriverError:
        raise denied from None


def check_parent_or_base(network: Network) -> None:
    """Check that the user's parent exists, or the link that it is to be a VLAN of."""
    try:
        check_parent(network)
    except NotFoundError as missing:
        vlan = _vlan_of(network)
        if vlan is None:
            raise
        try:
            links.get(Namespace.HOST, vlan[1])
        except DriverError:
            raise missing from None


def _vlan_of(network: Network) -> tuple[str, str, int] | None:
    """Return the parent's name with the link and the number of the VLAN it means."""
    parent = network.parent or ""
    base, _, text = parent.rpartition(".")
    number = parse_number(text, 1, _VLAN_MAX)
    if not base or number is None or str(number) != text:
        return None
    return parent, base, number
