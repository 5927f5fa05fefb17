// Each container gets a veth pair: one end in the container, the other one on the host.

import * as addresses from 'wasmvark:driver/addresses@0.3.0';
import * as links from 'wasmvark:driver/links@0.3.0';
import * as routes from 'wasmvark:driver/routes@0.3.0';

// Nobody else is on the link, so no address waits for duplicate address detection.
const OWN = { noDad: true, noPrefixRoute: false };
// The host's routes are added one by one, so its addresses bring none.
const GATEWAY = { noDad: true, noPrefixRoute: true };

export const handler = {
  // Checks a new network.
  create({ network }) {
    if (network.subnets.length === 0) {
      throw { tag: 'invalid', val: 'the network has no subnet: give --subnet' };
    }
    return [];
  },

  // Connects a container.
  setup(request) {
    const { mac, network } = request;
    const pair = links.createVeth({ mac, mtu: network.mtu });
    for (const { gateway } of network.subnets) {
      if (gateway) addresses.add(pair.host, alone(gateway), GATEWAY);
    }
    links.setUp(pair.host);
    for (const route of request.hostRoutes) {
      routes.add('host', route, through(pair.host.name()));
    }
    for (const address of request.addresses) {
      addresses.add(pair.container, address, OWN);
    }
    links.setUp(pair.container);
    for (const route of [...request.defaultRoutes, ...request.routes]) {
      routes.add('container', route, undefined);
    }
    return { dnsServers: [], searchDomains: [] };
  },

  // Does nothing: the host undoes what `setup` did.
  teardown() {},
};

// Returns an address with the prefix length that means it alone.
function alone(address) {
  const [plain] = address.split('/');
  return `${plain}/${plain.includes(':') ? 128 : 32}`;
}

// Returns the options of a route through a link.
function through(link) {
  return { link, onLink: false, nextHops: [] };
}
