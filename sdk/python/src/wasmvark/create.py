"""Steps of `create` that several drivers have."""

from enum import Enum

from wit_world.imports.types import (
    CreateRequest,
    IpVersion,
    Namespace,
    Network,
    NetworkChange,
    NetworkChange_DnsEnabled,
    NetworkChange_IpamDriver,
    NetworkChange_NetworkInterface,
    NetworkChange_RemoveOption,
)

from wasmvark.calls import addresses, links
from wasmvark.errors import InvalidError, NotFoundError, UnsupportedError
from wasmvark.options import Options, find
from wasmvark.text import is_v6


class WithoutSubnets(Enum):
    """The treatment of a network without subnets and without an ipam driver."""

    REFUSE = "refuse"
    """It is refused, because a container without an address would be a surprise."""
    NO_ADDRESSES = "no-addresses"
    """It gets the ipam driver `none`."""
    DHCP = "dhcp"
    """A DHCP server chooses the addresses."""


def choose_ipam(
    network: Network, without_subnets: WithoutSubnets
) -> NetworkChange | None:
    """Check the ipam driver, and return the change that sets it if there is none."""
    driver, name = network.driver, network.ipam_driver or ""
    if name == "none":
        return None
    if name == "dhcp" and without_subnets is WithoutSubnets.DHCP:
        check_dhcp(network)
        return None
    if name == "dhcp":
        raise UnsupportedError(
            f"ipam driver dhcp is not supported with {driver}: give --subnet, or "
            "--ipam-driver none for a network without addresses"
        )
    if name not in ("", "host-local"):
        raise UnsupportedError(f"Unsupported ipam driver: {name}")
    if network.subnets:
        return None if name else NetworkChange_IpamDriver("host-local")
    if name:
        raise InvalidError(
            f"{driver} driver needs at least one subnet specified when the host-local "
            "ipam driver is set"
        )
    return _without_subnets(network, without_subnets)


def _without_subnets(network: Network, treatment: WithoutSubnets) -> NetworkChange:
    if treatment is WithoutSubnets.NO_ADDRESSES:
        return NetworkChange_IpamDriver("none")
    if treatment is WithoutSubnets.DHCP:
        check_dhcp(network)
        return NetworkChange_IpamDriver("dhcp")
    raise InvalidError(
        f"{network.driver} driver needs a subnet, because it has no dhcp: give --subnet, "
        "or --ipam-driver none for a network without addresses"
    )


def has_no_addresses(network: Network, chosen: NetworkChange | None) -> bool:
    """Tell whether a network has no addresses, with the ipam driver that was chosen.

    netavark then turns name resolution off, and so must a driver.
    """
    if isinstance(chosen, NetworkChange_IpamDriver):
        return chosen.value == "none"
    return network.ipam_driver == "none"


def allocate_subnets(network: Network, with_gateway: bool) -> NetworkChange | None:
    """Have the host allocate the subnets that a network lacks.

    That are those that Podman gives its own bridge networks: an IPv4 one if the user
    gave none, and with `--ipv6` one of each version. Otherwise it does the same as
    `choose_ipam`. With `with_gateway` these subnets have a gateway in internal networks,
    too.
    """
    name = network.ipam_driver or ""
    if name not in ("", "host-local"):
        return choose_ipam(network, WithoutSubnets.REFUSE)
    for version in _lacking(network):
        addresses.allocate_subnet(version, with_gateway)
    return None if name else NetworkChange_IpamDriver("host-local")


def _lacking(network: Network) -> list[IpVersion]:
    has_v6 = any(is_v6(subnet.subnet) for subnet in network.subnets)
    has_v4 = any(not is_v6(subnet.subnet) for subnet in network.subnets)
    needs_v4 = not network.subnets or network.ipv6
    lacking = [IpVersion.IPV4] if needs_v4 and not has_v4 else []
    return lacking + ([IpVersion.IPV6] if network.ipv6 and not has_v6 else [])


def check_dhcp(network: Network) -> None:
    """Check the options of a network whose addresses a DHCP server chooses."""
    if network.subnets:
        raise InvalidError("ipam driver dhcp set but subnets are set")
    fixed = {
        "no_default_route": network.no_default_route,
        "metric": network.metric is not None,
    }
    for option, is_set in fixed.items():
        if is_set:
            raise InvalidError(
                f"the option {option} has no effect with ipam driver dhcp: netavark's "
                "DHCP proxy adds the default route itself, with the metric 100"
            )


def check_ipam(network: Network) -> None:
    """Check the ipam driver at `setup`.

    A network that was written by hand hasn't been through `create`.
    """
    if network.ipam_driver not in (None, "", "host-local", "none"):
        raise UnsupportedError(f"unsupported ipam driver {network.ipam_driver}")


def changes_on_parent(
    request: CreateRequest, without_subnets: WithoutSubnets
) -> list[NetworkChange]:
    """Return the changes of a network whose containers have links on a parent."""
    ipam = choose_ipam(request.network, without_subnets)
    changes = move_parent_option(request.options)
    if ipam is not None:
        changes.append(ipam)
    return [*changes, no_names()]


def no_names() -> NetworkChange:
    """Return the change that turns name resolution off.

    Such a network has no gateway on the host on which a DNS server could listen.
    """
    return NetworkChange_DnsEnabled(False)


def check_parent(network: Network) -> None:
    """Check that the user's parent exists."""
    if network.parent is None:
        return
    try:
        links.get(Namespace.HOST, network.parent)
    except NotFoundError:
        message = f"parent interface {network.parent} does not exist"
        raise NotFoundError(message) from None


def move_parent_option(options: Options) -> list[NetworkChange]:
    """Return the changes that turn the option `parent` into the network's interface.

    Podman does this only for its own drivers.
    """
    parent = find(options, "parent")
    if parent is None:
        return []
    moved: list[NetworkChange] = []
    if parent:
        moved.append(NetworkChange_NetworkInterface(parent))
    return [*moved, NetworkChange_RemoveOption("parent")]
