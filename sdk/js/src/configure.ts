/** The last steps of a setup, which are the same for every kind of link. */

import { addresses } from './calls/addresses.js';
import { type Link, links } from './calls/links.js';
import { type RouteInfo, type RouteOptions, routes } from './calls/routes.js';
import { sysctl } from './calls/sysctl.js';
import type { Dad } from './dad.js';
import { ignoring } from './errors.js';
import { isV6, U32_MAX } from './text.js';
import type { Request } from './types.js';

/** The options of a plain route. */
export const PLAIN_ROUTE: Readonly<RouteOptions> = { onLink: false, nextHops: [] };

// The metric of routes without one, as in netavark.
const DEFAULT_METRIC = 100;
// The metric of an IPv6 route with 0 (IP6_RT_PRIO_USER, `ipv6_route.h`).
const V6_METRIC = 1024;

/**
 * Gives the container's link its addresses, sets it up and adds the routes. `metric` is for
 * default routes for which the user gave none. Without one, it is that of netavark.
 */
export function configure(
  link: Link,
  request: Request,
  metric: number | undefined,
  dad: Dad,
): void {
  for (const address of request.addresses) addresses.add(link, address, dad.addressOptions());
  // A route needs a link that is up.
  links.setUp(link);
  addRoutes(request, metric, undefined);
}

/**
 * Adds the request's default and static routes in the container. If Podman chose no addresses,
 * the container gets its addresses in another way, and no network leads to the gateways of
 * static routes yet. The routes then name the link.
 */
export function addRoutes(
  request: Request,
  metric: number | undefined,
  options: RouteOptions | undefined,
): void {
  addDefaultRoutes(request, metric, options);
  const given = options ?? PLAIN_ROUTE;
  const throughLink = { ...given, link: request.interfaceName, onLink: true };
  for (const route of request.routes) {
    const isFar = request.addresses.length === 0 && route.gateway != null;
    routes.add('container', route, isFar ? throughLink : options);
  }
}

/**
 * Adds the default routes behind those of the container's other networks. Two routes with one
 * metric would compete: of IPv4 routes the kernel uses the later one, and of IPv6 routes it
 * makes one multipath route. So each gets the next free metric, and none is lost when a network
 * is disconnected.
 */
function addDefaultRoutes(
  request: Request,
  metric: number | undefined,
  options: RouteOptions | undefined,
): void {
  if (request.defaultRoutes.length === 0) return;
  const there = routes.list('container', options?.table);
  for (const route of request.defaultRoutes) {
    const wanted = route.metric ?? metric ?? DEFAULT_METRIC;
    const free = freeMetric(there, route.destination, wanted);
    routes.add('container', { ...route, metric: free }, options);
  }
}

/** Returns the first metric from the wanted one that no route to the destination has. */
function freeMetric(there: RouteInfo[], destination: string, wanted: number): number {
  const same = there.filter(({ route }) => route.destination === destination);
  const taken = new Set(same.map(({ route }) => route.metric));
  let metric = wanted;
  while (taken.has(inKernel(destination, metric)) && metric < U32_MAX) {
    metric = inKernel(destination, metric) + 1;
  }
  return metric;
}

function inKernel(destination: string, metric: number): number {
  return metric === 0 && isV6(destination) ? V6_METRIC : metric;
}

/**
 * Turns the autoconfiguration of IPv6 addresses off, because Podman chooses the addresses. A
 * kernel without IPv6 has none. A read-only `/proc/sys` is the operator's choice.
 */
export function disableAutoconf(link: Link): void {
  ignoring(['not-found', 'read-only'], () => sysctl.setAutoconf(link, false));
}

/**
 * Makes the kernel take IPv4 packets whose replies would leave through another link, as those
 * of a container's second network do. If the host's reverse path filter is strict, the kernel
 * drops them otherwise.
 */
export function loosenReversePath(link: Link): void {
  sysctl.setRpFilter(link, 'loose');
}

/**
 * Makes the kernel announce the link's addresses when the link is set up. Neighbours that have
 * another MAC address for them then use the new one (containers/netavark#1114). A kernel
 * without IPv6 announces no IPv6 addresses.
 */
export function announceAddresses(link: Link): void {
  sysctl.setArpNotify(link, true);
  ignoring(['not-found'], () => sysctl.setNdiscNotify(link, true));
}

/** Takes addresses and routes from router advertisements, also if the container forwards. */
export function acceptRouterAdvertisements(link: Link): void {
  sysctl.setAcceptRa(link, 'all');
  sysctl.setAutoconf(link, true);
}

/**
 * Ignores router advertisements on a link. At the host's end, a container could otherwise
 * become the host's router and get its traffic (CVE-2020-10749). A kernel without IPv6 ignores
 * them anyway.
 */
export function ignoreRouterAdvertisements(link: Link): void {
  ignoring(['not-found'], () => sysctl.setAcceptRa(link, 'none'));
}
