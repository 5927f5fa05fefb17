//! Fixed MAC addresses for the host's links.

use crate::types::Request;

/// The start and the factor of the hash function FNV-1a with 64 bits.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Returns a fixed MAC address for a link of the host that the network's containers share,
/// a digest of the ids. The container's is random, and the network's tells the links of one
/// container apart.
///
/// The kernel's own choice for a bridge changes with the ports. Neighbours that have the
/// old one can't reach the bridge for a while (containers/netavark#843).
pub fn stable_mac(request: &Request) -> String {
    digest(&request.network.id, &request.container_id)
}

fn digest(network_id: &str, container_id: &str) -> String {
    let bytes = network_id.bytes().chain([0]).chain(container_id.bytes());
    let digest = bytes.fold(FNV_OFFSET, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    });
    let [_, _, _, a, b, c, d, e] = digest.to_be_bytes();
    // 02 marks a locally administered address.
    format!("02:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stable_mac_differs_by_network_and_container() {
        let mac = digest("c0ffee", "9a8e");
        assert_eq!(mac, digest("c0ffee", "9a8e"));
        let others = [
            ("c0ffe", "e9a8e"),
            ("c0ffee", "9a8f"),
            ("", ""),
            ("ünïcödé", "c"),
        ];
        for (network, container) in others {
            let other = digest(network, container);
            assert_ne!(mac, other);
            assert_eq!((other.len(), &other[..3]), (17, "02:"));
        }
    }
}
