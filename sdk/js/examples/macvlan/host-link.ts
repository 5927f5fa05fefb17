// The host's link beside the containers. The kernel passes nothing between macvlan links and
// their parent, so that the host needs a macvlan link of its own to reach them.

import { addresses } from 'wasmvark/calls/addresses';
import { type Link, links, type MacvlanMode } from 'wasmvark/calls/links';
import { routes } from 'wasmvark/calls/routes';
import { sysctl } from 'wasmvark/calls/sysctl';
import { PLAIN_ROUTE } from 'wasmvark/configure';
import { Dad } from 'wasmvark/dad';
import { DriverError, ignoring } from 'wasmvark/errors';
import { find, refused } from 'wasmvark/options';
import { stableMac } from 'wasmvark/stable-mac';
import {
  alone,
  formatAddress,
  isSameAddress,
  isV6,
  parseAddress,
  withoutPrefix,
  words,
} from 'wasmvark/text';
import type { Network, Request, RequestOption } from 'wasmvark/types';

// The option that names the host's addresses.
const HOST_ADDRESS = 'host_address';

/** The parsed option: at most one address of the host of each version. */
export class HostLink {
  private readonly addresses: string[];

  /** Parses the option. */
  constructor(options: RequestOption[], mode: MacvlanMode) {
    const text = find(options, HOST_ADDRESS);
    this.addresses = text === undefined ? [] : parse(text);
    if (text === undefined || mode === 'bridge') return;
    throw new DriverError(
      'invalid',
      `${HOST_ADDRESS} needs mode bridge: with others, macvlan links of a parent don't reach ` +
        'each other',
    );
  }

  /** Checks that the user named the parent. Only its networks may be shared with the link. */
  check(network: Network): void {
    if (this.addresses.length === 0 || network.parent != null) return;
    const message = `${HOST_ADDRESS} needs a parent that you name: give -o parent=NAME`;
    throw new DriverError('invalid', message);
  }

  /**
   * Gives the host its link, which the network's containers share, with its addresses and with
   * routes to this container's.
   */
  configure(parent: Link, request: Request): void {
    if (this.addresses.length === 0) return;
    const link = links.createMacvlan('shared', undefined, parent, {
      mode: 'bridge',
      mac: stableMac(request),
      mtu: request.network.mtu,
    });
    this.prepare(link);
    const through = { ...PLAIN_ROUTE, link: link.name() };
    for (const route of request.hostRoutes) {
      const destination = withoutPrefix(route.destination);
      if (!this.addresses.some((it) => isV6(it) === isV6(destination))) continue;
      this.checkOther(destination);
      routes.add('host', route, through);
    }
  }

  // Gives the link the addresses, and sets it up. An earlier container may have done so.
  private prepare(link: Link): void {
    // Otherwise others on the wire could take this link's MAC address for the host's.
    sysctl.setArpIgnore(link, true);
    for (const address of this.addresses) {
      ignoring(['exists'], () => addresses.add(link, alone(address), Dad.OFF.addressOptions()));
    }
    links.setUp(link);
  }

  private checkOther(address: string): void {
    if (!this.addresses.some((it) => isSameAddress(it, address))) return;
    throw new DriverError(
      'invalid',
      `${address} is the host's by the option ${HOST_ADDRESS}: keep it out of the addresses for ` +
        'containers, by --ip-range',
    );
  }
}

function parse(text: string): string[] {
  const all = words(text).map(parseAddress);
  const lengths = all.map((bytes) => bytes?.length);
  const isOneEach = new Set(lengths).size === all.length && !lengths.includes(undefined);
  if (all.length > 0 && isOneEach) {
    return all.flatMap((bytes) => (bytes ? [formatAddress(bytes)] : []));
  }
  throw refused(
    HOST_ADDRESS,
    text,
    'an IP address, or one of each version with a space between them',
  );
}
