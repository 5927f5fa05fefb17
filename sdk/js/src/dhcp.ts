/** Addresses that a DHCP server chooses. */

import { dhcp } from './calls/dhcp.js';
import { type Link, links } from './calls/links.js';
import { checkDhcp, checkIpam } from './create.js';
import type { Network } from './types.js';

/** Returns whether a DHCP server chooses the containers' addresses. */
export function usesDhcp(network: Network): boolean {
  return network.ipamDriver === 'dhcp';
}

/** Checks the ipam driver at `setup`, for a driver with DHCP. */
export function checkIpamOrDhcp(network: Network): void {
  if (usesDhcp(network)) checkDhcp(network);
  else checkIpam(network);
}

/**
 * Leases the address of a container's link, if a DHCP server chooses it. The link gets the MTU
 * of the lease, if that is smaller and the user gave none.
 */
export function lease(link: Link, parent: Link, network: Network): void {
  if (!usesDhcp(network)) return;
  const { mtu } = dhcp.lease(link, parent);
  if (mtu == null || network.mtu) return;
  if (mtu < links.info(link).mtu) links.setMtu(link, mtu);
}
