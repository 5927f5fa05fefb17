/** Parents of containers' links, which may be VLANs that the network makes. */

import { type Link, links, type VlanOptions } from './calls/links.js';
import { checkParent } from './create.js';
import { isError } from './errors.js';
import { parseNumber } from './text.js';
import type { Network } from './types.js';

/**
 * The metric of default routes through a link on a parent. It is below the usual 100, so that
 * the route wins over one of a bridge network (containers/podman#23984).
 */
export const PARENT_METRIC = 99;

// The highest number of a VLAN (IEEE 802.1Q).
const VLAN_MAX = 4094;

/** Returns the user's parent, or else the default route's link. */
export function findParent({ parent }: Network): Link {
  return parent == null ? links.getDefault() : links.get('host', parent);
}

/**
 * Returns the user's parent, or else the default route's link. A VLAN that is missing is made,
 * and goes with the network's last container.
 */
export function findOrMakeParent(network: Network): Link {
  const vlan = vlanOf(network);
  const base = vlan && linkOf(vlan.base);
  if (vlan === undefined || base === undefined) return findParent(network);
  const options: VlanOptions = { id: vlan.id, protocol: 'dot1q' };
  let link: Link;
  try {
    link = links.createVlan('shared', vlan.name, base, options);
  } catch (error) {
    // Somebody else has made it, and it stays.
    if (isError(error, 'exists')) return findParent(network);
    if (isError(error, 'denied')) return there(network, error);
    throw error;
  }
  links.setUp(link);
  return link;
}

/** Returns a link of the host, if it is there. */
function linkOf(name: string): Link | undefined {
  try {
    return links.get('host', name);
  } catch (error) {
    if (isError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Returns the parent if it is there, so that the call that was denied isn't needed. */
function there(network: Network, denied: unknown): Link {
  try {
    return findParent(network);
  } catch {
    throw denied;
  }
}

/** Checks that the user's parent exists, or the link that it is to be a VLAN of. */
export function checkParentOrBase(network: Network): void {
  try {
    checkParent(network);
  } catch (error) {
    const vlan = vlanOf(network);
    if (!isError(error, 'not-found') || vlan === undefined) throw error;
    try {
      links.get('host', vlan.base);
    } catch {
      throw error;
    }
  }
}

interface Vlan {
  name: string;
  base: string;
  id: number;
}

/** Returns the VLAN that the parent's name means. */
function vlanOf({ parent }: Network): Vlan | undefined {
  const name = parent ?? '';
  const at = name.lastIndexOf('.');
  const id = parseNumber(name.slice(at + 1), 1, VLAN_MAX);
  if (at < 1 || id === undefined || String(id) !== name.slice(at + 1)) return undefined;
  return { name, base: name.slice(0, at), id };
}
