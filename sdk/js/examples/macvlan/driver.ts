// Each container gets a link of its own on a link of the host, and is a neighbour in the network
// of that link.

import { Behaviours } from 'wasmvark/behaviours';
import { links, type MacvlanMode } from 'wasmvark/calls/links';
import { changesOnParent } from 'wasmvark/create';
import { checkIpamOrDhcp, lease } from 'wasmvark/dhcp';
import { type Handler, noNameServers } from 'wasmvark/driver';
import { DriverError } from 'wasmvark/errors';
import { Filter } from 'wasmvark/filter';
import { choose, find, MACVLAN_MODES, parseInteger, refused } from 'wasmvark/options';
import { checkParentOrBase, findOrMakeParent, PARENT_METRIC } from 'wasmvark/parent';
import type { RequestOption } from 'wasmvark/types';
import { HostLink } from './host-link.js';

export const handler: Handler = {
  // Checks a new network.
  create(request) {
    const { network, options } = request;
    checkParentOrBase(network);
    const changes = changesOnParent(request, 'dhcp');
    new Behaviours(options);
    new HostLink(options, parse(options).mode).check(network);
    new Filter(options);
    return changes;
  },

  // Connects a container.
  setup(request) {
    const { mac, network, options } = request;
    checkIpamOrDhcp(network);
    const own = parse(options);
    const hostLink = new HostLink(options, own.mode);
    hostLink.check(network);
    const behaviours = new Behaviours(options);
    const filter = new Filter(options);
    const parent = findOrMakeParent(network);
    const link = links.createMacvlan('container', undefined, parent, {
      ...own,
      mac,
      mtu: network.mtu,
    });
    // This is in place before anything can pass.
    filter.applyInContainer(link);
    behaviours.acceptRa(link);
    behaviours.announce(link);
    behaviours.configure(link, request, PARENT_METRIC);
    lease(link, parent, network);
    behaviours.limit(link);
    hostLink.configure(parent, request);
    behaviours.waitDad(link);
    return noNameServers();
  },

  // Does nothing. The host removes the link.
  teardown() {},
};

// Parses the driver's own options.
function parse(options: RequestOption[]) {
  const mode = choose(options, 'mode', MACVLAN_MODES);
  checkSenders(options, mode);
  return {
    mode,
    broadcastLimit: parseInteger(options, 'bclim', -(2 ** 31), 2 ** 31 - 1),
    broadcastQueueLength: parseInteger(options, 'bcqueuelen'),
  };
}

// Checks the MAC addresses whose frames a link of the mode `source` gets. The host lists them.
function checkSenders(options: RequestOption[], mode: MacvlanMode): void {
  const text = find(options, 'macaddr');
  if (text === undefined) return;
  if (mode !== 'source') {
    throw new DriverError(
      'invalid',
      'macaddr needs mode source: with others, frames of all senders come in',
    );
  }
  if (text.split(',').every((word) => isSender(word.trim()))) return;
  throw refused(
    'macaddr',
    text,
    'a list of MAC addresses that frames can come from, with commas between them',
  );
}

// Returns whether a text is a MAC address that a frame can come from: not that of a group, and
// not zero.
function isSender(text: string): boolean {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return false;
  const isGroup = Number.parseInt(text.slice(0, 2), 16) % 2 === 1;
  return !isGroup && /[1-9a-f]/i.test(text);
}
