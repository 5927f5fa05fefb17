"""Addresses that a DHCP server chooses."""

from wit_world.imports.links import Link
from wit_world.imports.types import Network

from wasmvark.calls import dhcp, links
from wasmvark.create import check_dhcp, check_ipam


def uses_dhcp(network: Network) -> bool:
    """Tell whether a DHCP server chooses the containers' addresses."""
    return network.ipam_driver == "dhcp"


def check_ipam_or_dhcp(network: Network) -> None:
    """Check the ipam driver at `setup`, for a driver with DHCP."""
    if uses_dhcp(network):
        check_dhcp(network)
    else:
        check_ipam(network)


def lease(link: Link, parent: Link, network: Network) -> None:
    """Lease the address of a container's link, if a DHCP server chooses it.

    The link gets the MTU of the lease, if that is smaller and the user gave none.
    """
    if not uses_dhcp(network):
        return
    mtu = dhcp.lease(link, parent).mtu
    if mtu is not None and not network.mtu and mtu < links.info(link).mtu:
        links.set_mtu(link, mtu)
