/** Fixed MAC addresses for the host's links. */

import type { Request } from './types.js';

// The start and the factor of the hash function FNV-1a with 64 bits.
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/**
 * Returns a fixed MAC address for a link of the host that the network's containers share, a
 * digest of the ids. The container's is random, and the network's tells the links of one
 * container apart. The kernel's own choice for a bridge changes with the ports. Neighbours that
 * have the old one can't reach the bridge for a while (containers/netavark#843).
 */
export function stableMac({ network, containerId }: Request): string {
  let digest = FNV_OFFSET;
  for (const byte of utf8(`${network.id}\0${containerId}`)) {
    digest = BigInt.asUintN(64, (digest ^ BigInt(byte)) * FNV_PRIME);
  }
  const last = digest.toString(16).padStart(16, '0').slice(6);
  // 02 marks a locally administered address.
  return ['02', ...(last.match(/../g) ?? [])].join(':');
}

function utf8(text: string): number[] {
  const escaped = encodeURIComponent(text);
  const bytes = escaped.match(/%..|./g) ?? [];
  return bytes.map((byte) =>
    byte.length > 1 ? Number.parseInt(byte.slice(1), 16) : byte.charCodeAt(0),
  );
}
