/** Limits of a container's sending and receiving rates. This is like CNI's plugin bandwidth. */

import { type Link, links } from '../calls/links.js';
import { type HtbFlow, type Shape, traffic } from '../calls/traffic.js';
import { DriverError } from '../errors.js';
import { find, refused } from '../options.js';
import { isNetwork, U32_MAX, words } from '../text.js';
import type { Place, RequestOption } from '../types.js';

// The time that a packet may wait in the queue, in milliseconds. With CNI's 25 ms, a TCP
// connection reaches only four fifths of the rate, because it slows down at every lost packet.
const LATENCY = 100;
// The smallest default burst in bytes, which is some of the largest usual packets.
const SMALLEST_BURST = 32n * 1024n;
// The number of default bursts per second at the full rate. The kernel refills the bucket at
// least 100 times per second.
const BURSTS_A_SECOND = 50n;
// The most subnets of an option.
const SUBNETS_MAX = 100;
// All packets of a family.
const FAMILIES = ['0.0.0.0/0', '::/0'];
const U64_MAX = 2n ** 64n - 1n;

const SHAPED = 'shaped_subnets';
const UNSHAPED = 'unshaped_subnets';

/** The end of a packet's way that is elsewhere. */
type Remote = 'source' | 'destination';

/** The parsed options of rates. As in CNI, `ingress` is the container's receiving direction. */
export class Rates {
  private readonly ingress: Shape | undefined;
  private readonly egress: Shape | undefined;
  /** The subnets of the other end, and how their packets are treated; without any, all are limited. */
  private readonly flows: [string, HtbFlow][];

  /** Parses the options. */
  constructor(options: RequestOption[]) {
    this.ingress = limit(options, 'ingress_rate', 'ingress_burst');
    this.egress = limit(options, 'egress_rate', 'egress_burst');
    const shaped = subnets(options, SHAPED);
    const unshaped = subnets(options, UNSHAPED);
    if (shaped.length > 0 && unshaped.length > 0) {
      throw new DriverError('invalid', `${SHAPED} and ${UNSHAPED} can't be given together`);
    }
    const direct = shaped.length > 0 ? FAMILIES : unshaped;
    this.flows = [
      ...shaped.map((subnet): [string, HtbFlow] => [subnet, 'rest']),
      ...direct.map((subnet): [string, HtbFlow] => [subnet, 'direct']),
    ];
    if (this.flows.length > 0 && !this.ingress && !this.egress) {
      const key = shaped.length > 0 ? SHAPED : UNSHAPED;
      throw new DriverError('invalid', `${key} needs ingress_rate or egress_rate`);
    }
  }

  /** Limits the rates at the container's own link. */
  limit(link: Link): void {
    if (this.egress) this.limitSending(link, this.egress, 'destination');
    if (this.ingress) this.limitReceiving(link, 'container', this.ingress, 'source');
  }

  /** Limits the rates at the peer on the host, where the directions are reversed. */
  limitPort(port: Link): void {
    if (this.ingress) this.limitSending(port, this.ingress, 'source');
    if (this.egress) this.limitReceiving(port, 'host', this.egress, 'destination');
  }

  /** Limits the packets that a link sends. A limit for some of them needs classes. */
  private limitSending(link: Link, shape: Shape, remote: Remote): void {
    if (this.flows.length === 0) {
      traffic.setTbf(link, { shape, latency: LATENCY });
      return;
    }
    traffic.setHtb(link, shape);
    for (const [subnet, flow] of this.flows) {
      const [source, destination] = remote === 'source' ? [subnet, undefined] : [undefined, subnet];
      traffic.addHtbFilter(link, source, destination, flow);
    }
  }

  /**
   * Limits the packets that a link receives. They are redirected to an ifb link, which limits
   * them.
   */
  private limitReceiving(link: Link, place: Place, shape: Shape, remote: Remote): void {
    const ifb = links.createIfb(place, undefined, {});
    this.limitSending(ifb, shape, remote);
    links.setUp(ifb);
    traffic.redirectIngress(link, ifb);
  }
}

function limit(options: RequestOption[], rateKey: string, burstKey: string): Shape | undefined {
  const given = number(options, burstKey, 1024n);
  const rate = number(options, rateKey, 1000n);
  if (rate === undefined) {
    if (given === undefined) return undefined;
    throw new DriverError('invalid', `${burstKey} needs ${rateKey}`);
  }
  if (rate < 8n) {
    const message = `${rateKey} is in bits per second, at least 8: ${rate} is too low`;
    throw new DriverError('invalid', message);
  }
  const usual = rate / 8n / BURSTS_A_SECOND;
  const burst = given ?? (usual < SMALLEST_BURST ? SMALLEST_BURST : usual);
  if (burst < 1n || burst > U32_MAX) {
    throw new DriverError(
      'invalid',
      `${burstKey} is in bytes, from 1 to ${U32_MAX}: ${burst} is not possible; it takes ` +
        `${burstKey} to go with a high ${rateKey}`,
    );
  }
  return { rate: Number(rate), burst: Number(burst) };
}

/** Returns a number that may end with `k`, `m` or `g`. `step` is the factor of `k`. */
function number(options: RequestOption[], key: string, step: bigint): bigint | undefined {
  const text = find(options, key);
  if (text === undefined) return undefined;
  const [, digits, unit] = /^\+?([0-9]+)([kmg]?)$/.exec(text.trim().toLowerCase()) ?? [];
  const power = ['', 'k', 'm', 'g'].indexOf(unit ?? '');
  const parsed = digits === undefined ? undefined : BigInt(digits) * step ** BigInt(power);
  if (parsed === undefined || parsed > U64_MAX) {
    throw refused(key, text, 'a whole number, which may end with k, m or g');
  }
  return parsed;
}

/** Returns a list of subnets. An empty one counts as absent. */
function subnets(options: RequestOption[], key: string): string[] {
  const text = find(options, key) ?? '';
  const all = words(text);
  if (all.length <= SUBNETS_MAX && all.every(isNetwork)) return all;
  const expected = `a list of at most ${SUBNETS_MAX} subnets, with spaces between them`;
  throw refused(key, text, expected);
}
