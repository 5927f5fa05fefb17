// Each container has a link of its own to the host, which routes between containers and to
// other networks.
//
// It is like CNI's plugin ptp. The host's end has the gateways' addresses without their
// networks, and a route to each address of the container. The container reaches the gateways
// directly, and its subnets through them.

import { Behaviours } from 'wasmvark/behaviours';
import { addresses } from 'wasmvark/calls/addresses';
import { type Link, links } from 'wasmvark/calls/links';
import { routes } from 'wasmvark/calls/routes';
import {
  addRoutes,
  ignoreRouterAdvertisements,
  loosenReversePath,
  PLAIN_ROUTE,
} from 'wasmvark/configure';
import { allocateSubnets, checkIpam, hasNoAddresses, noNames } from 'wasmvark/create';
import { Dad } from 'wasmvark/dad';
import { type Handler, noNameServers } from 'wasmvark/driver';
import { DriverError } from 'wasmvark/errors';
import { Filter } from 'wasmvark/filter';
import {
  checkOutsideLinks,
  closeInternal,
  forward,
  Nat,
  proxyNdp,
  publish,
  routedMtu,
  serveNames,
  trust,
} from 'wasmvark/nat';
import { alone, isV6, withoutPrefix } from 'wasmvark/text';
import type { Network, Request, Route, Subnet } from 'wasmvark/types';

// The default of the option `masquerade`, as in CNI.
const MASQUERADE = false;

export const handler: Handler = {
  // Checks a new network, and gives it the subnets that it lacks.
  create(request) {
    const { network, options } = request;
    new Behaviours(options);
    new Nat(options, MASQUERADE);
    new Filter(options);
    checkOutsideLinks(request);
    // Podman adds the gateways of other networks after `create`.
    if (network.internal) checkGateways(network);
    // The host's end needs the gateway in internal networks, too.
    const ipam = allocateSubnets(network, true);
    const names = hasNoAddresses(network, ipam) ? [noNames()] : [];
    return ipam ? [...names, ipam] : names;
  },

  // Connects a container.
  setup(request) {
    const { mac, network, options } = request;
    checkIpam(network);
    checkGateways(network);
    const behaviours = new Behaviours(options);
    const dad = Dad.OFF.orGiven(options);
    const pair = links.createVeth({ mac, mtu: routedMtu(network) });
    // These are in place before anything can pass.
    closeInternal(pair.host, network);
    new Filter(options).apply(request);
    for (const end of [pair.host, pair.container]) loosenReversePath(end);
    configureHost(pair.host, request, dad);
    configureContainer(pair.container, request, behaviours, dad);
    behaviours.limitPort(pair.host);
    behaviours.waitDad(pair.container);
    forward(request);
    proxyNdp(request);
    trust(request, true);
    new Nat(options, MASQUERADE).translateContainer(request);
    publish(pair.host, request);
    serveNames(pair.host, network);
    return noNameServers();
  },

  // Does nothing. The host removes the links with their routes and addresses, and the firewall
  // rules.
  teardown() {},
};

// Gives the host's end the gateways' addresses and the routes to the container. The host's ends
// of all links have the same addresses.
function configureHost(link: Link, request: Request, dad: Dad): void {
  ignoreRouterAdvertisements(link);
  dad.set(link, request.network);
  for (const { gateway } of subnetsWithGateways(request)) {
    addresses.add(link, alone(gateway), dad.addressOptions(true));
  }
  // A route needs a link that is up.
  links.setUp(link);
  const through = { ...PLAIN_ROUTE, link: link.name() };
  for (const route of request.hostRoutes) routes.add('host', route, through);
}

// Gives the container's end its addresses and routes.
function configureContainer(link: Link, request: Request, behaviours: Behaviours, dad: Dad): void {
  dad.set(link, request.network);
  behaviours.tune(link, request);
  for (const address of request.addresses) {
    addresses.add(link, address, dad.addressOptions(true));
  }
  // A route needs a link that is up.
  links.setUp(link);
  const through = { ...PLAIN_ROUTE, table: behaviours.sourceTable(request) };
  const direct = { ...through, link: request.interfaceName };
  for (const { subnet, gateway } of subnetsWithGateways(request)) {
    routes.add('container', routeTo(alone(gateway)), direct);
    routes.add('container', routeTo(subnet, withoutPrefix(gateway)), through);
  }
  addRoutes(request, undefined, through);
}

// Returns the subnets in which the container has addresses: all, or none.
function subnetsOf({ ipamDriver, subnets }: Network): Subnet[] {
  return ipamDriver === 'none' ? [] : subnets;
}

// Returns each subnet with its gateway, of the families in which the container has an address.
function subnetsWithGateways(request: Request): { subnet: string; gateway: string }[] {
  const hasFamily = (v6: boolean) => request.addresses.some((it) => isV6(it) === v6);
  const subnets = subnetsOf(request.network).filter(({ subnet }) => hasFamily(isV6(subnet)));
  return subnets.flatMap(({ subnet, gateway }) => (gateway ? [{ subnet, gateway }] : []));
}

// Checks that each subnet has a gateway, which is the address of the host's end.
function checkGateways(network: Network): void {
  for (const { subnet, gateway } of subnetsOf(network)) {
    if (gateway != null) continue;
    throw new DriverError(
      'invalid',
      `subnet ${subnet} has no gateway, which the host's end of the link needs: give --gateway`,
    );
  }
}

// Returns a route to a network, through a gateway or directly.
function routeTo(destination: string, gateway?: string): Route {
  return { destination, gateway, kind: 'unicast' };
}
