// Each container gets a veth pair: one end in the container, the other one on the host.

import { type AddressOptions, addresses } from 'wasmvark/calls/addresses';
import { links } from 'wasmvark/calls/links';
import { routes } from 'wasmvark/calls/routes';
import { PLAIN_ROUTE } from 'wasmvark/configure';
import { type Handler, noNameServers } from 'wasmvark/driver';
import { DriverError } from 'wasmvark/errors';
import { alone } from 'wasmvark/text';

// Nobody else is on the link, so no address waits for duplicate address detection.
const OWN: AddressOptions = { noDad: true, noPrefixRoute: false };
// The host's routes are added one by one, so its addresses bring none.
const GATEWAY: AddressOptions = { noDad: true, noPrefixRoute: true };

export const handler: Handler = {
  // Checks a new network.
  create({ network }) {
    if (network.subnets.length > 0) return [];
    throw new DriverError('invalid', 'the network has no subnet: give --subnet');
  },

  // Connects a container.
  setup(request) {
    const { mac, network } = request;
    const pair = links.createVeth({ mac, mtu: network.mtu });
    for (const { gateway } of network.subnets) {
      if (gateway) addresses.add(pair.host, alone(gateway), GATEWAY);
    }
    links.setUp(pair.host);
    const through = { ...PLAIN_ROUTE, link: pair.host.name() };
    for (const route of request.hostRoutes) routes.add('host', route, through);
    for (const address of request.addresses) addresses.add(pair.container, address, OWN);
    links.setUp(pair.container);
    for (const route of [...request.defaultRoutes, ...request.routes]) {
      routes.add('container', route, undefined);
    }
    return noNameServers();
  },

  // Does nothing: the host undoes what `setup` did.
  teardown() {},
};
