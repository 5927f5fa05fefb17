"""Fixed MAC addresses for the host's links."""

from wit_world.imports.types import Request

# The start and the factor of the hash function FNV-1a with 64 bits.
_FNV_OFFSET = 0xCBF2_9CE4_8422_2325
_FNV_PRIME = 0x0000_0100_0000_01B3


def stable_mac(request: Request) -> str:
    """Return a fixed MAC address for a link that the network's containers share.

    It is a digest of the ids. The container's is random, and the network's tells the
    links of one container apart. The kernel's own choice for a bridge changes with the
    ports. Neighbours that have the old one can't reach the bridge for a while
    (containers/netavark#843).
    """
    return _digest(request.network.id, request.container_id)


def _digest(network_id: str, container_id: str) -> str:
    digest = _FNV_OFFSET
    for byte in f"{network_id}\0{container_id}".encode():
        digest = ((digest ^ byte) * _FNV_PRIME) % 2**64
    # 02 marks a locally administered address.
    return ":".join(f"{byte:02x}" for byte in (2, *digest.to_bytes(8)[3:]))
