/**
 * Filters of a container's connections, by lists of those that may pass. This is like CNI's
 * plugin firewall.
 */

import { type Direction, firewall, type PortRange } from './calls/firewall.js';
import type { Link } from './calls/links.js';
import { DriverError } from './errors.js';
import { find, refused } from './options.js';
import { cut, isV6, parseAddress, parseNumber, withoutPrefix, words } from './text.js';
import type { Protocol, Request, RequestOption } from './types.js';

// The value that lets nothing pass.
const NOTHING = 'none';
const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp'];
const EXPECTED = 'like tcp/443, udp/8000-8100, tcp, tcp/443@10.0.0.0/8 or any@fd00::/8';

/** One item of a list: connections that may pass. */
interface Item {
  protocol?: Protocol;
  ports: PortRange[];
  peer?: string;
}

/** The parsed options `incoming` and `outgoing`. */
export class Filter {
  private readonly lists: [Direction, Item[]][];

  /** Parses the options. */
  constructor(options: RequestOption[]) {
    const lists: [Direction, Item[] | undefined][] = [
      ['incoming', list(options, 'incoming')],
      ['outgoing', list(options, 'outgoing')],
    ];
    this.lists = lists.flatMap(([direction, items]) => (items ? [[direction, items]] : []));
  }

  /**
   * Accepts the connections in the lists, for each of the container's addresses, and drops all
   * others. The filter is on the host. It is for links whose packets the host sends, receives
   * or forwards. It throws `invalid` if the container has no address from Podman, so that no
   * rule would be for it.
   */
  apply(request: Request): void {
    if (this.lists.length > 0 && request.addresses.length === 0) {
      throw new DriverError(
        'invalid',
        "incoming and outgoing are for the container's addresses, and Podman gave it none",
      );
    }
    for (const [direction, items] of this.lists) {
      for (const address of request.addresses.map(withoutPrefix)) {
        const fitting = items.filter(({ peer }) => !peer || isV6(peer) === isV6(address));
        for (const item of fitting) firewall.accept({ direction, address, ...item });
        firewall.drop({ direction, address, ports: [] });
      }
    }
  }

  /**
   * Accepts the connections in the lists over a link of the container, and drops all others.
   * The filter is in the container's namespace. It is for links whose packets don't pass the
   * host's firewall, and must be called before the link is set up.
   */
  applyInContainer(link: Link): void {
    for (const [direction, items] of this.lists) {
      for (const item of items) firewall.acceptInContainer(link, { direction, ...item });
      firewall.dropInContainer(link, { direction, ports: [] });
    }
  }
}

function list(options: RequestOption[], key: string): Item[] | undefined {
  const text = find(options, key);
  if (text === undefined) return undefined;
  if (text === NOTHING) return [];
  const items = words(text).map((word) => {
    const item = parseItem(word);
    if (item === undefined) throw refused(key, word, EXPECTED);
    return item;
  });
  if (items.length > 0) return items;
  throw new DriverError(
    'invalid',
    `unable to parse "${key}": it names nothing; to let nothing through, give ${NOTHING}`,
  );
}

function parseItem(text: string): Item | undefined {
  const [what, peerText] = cut(text, '@');
  const [name, portsText] = cut(what, '/');
  const protocol = PROTOCOLS.find((it) => it === name);
  const isKnown = protocol !== undefined || (name === 'any' && portsText === undefined);
  const range = portsText === undefined ? undefined : parseRange(portsText);
  const peer = peerText === undefined ? undefined : parseNetwork(peerText);
  const isWhole = (portsText === undefined || range) && (peerText === undefined || peer);
  if (!isKnown || !isWhole) return undefined;
  return { ports: range ? [range] : [], ...(protocol && { protocol }), ...(peer && { peer }) };
}

/** Returns a port or a range of ports, as `443` or `8000-8100`. */
function parseRange(text: string): PortRange | undefined {
  const [firstText, lastText] = cut(text, '-');
  const first = parseNumber(firstText, 0, 65535);
  const last = parseNumber(lastText ?? firstText, 0, 65535);
  return first !== undefined && last !== undefined && first <= last ? { first, last } : undefined;
}

/** Returns an address or a network with its prefix length. */
function parseNetwork(text: string): string | undefined {
  const [address, lengthText] = cut(text, '/');
  const bits = (parseAddress(address)?.length ?? -1) * 8;
  const length = parseNumber(lengthText ?? String(bits), 0, bits);
  return length === undefined ? undefined : `${address}/${length}`;
}
