/**
 * Properties of a container's link, and kernel settings of its namespace. This is like CNI's
 * plugin tuning.
 */

import { type Link, links } from '../calls/links.js';
import { sysctl } from '../calls/sysctl.js';
import { DriverError } from '../errors.js';
import { parseBool, parseInteger } from '../options.js';
import { quote } from '../text.js';
import type { RequestOption } from '../types.js';

// The prefix of options for kernel settings.
const SYSCTL = 'sysctl.';
// The placeholder for the name of the container's interface, as in CNI.
const INTERFACE = 'IFNAME';

/** The parsed options of tuning. */
export class Tuning {
  private readonly sysctls: [string, string][];
  private readonly queueLength: number | undefined;
  private readonly promiscuous: boolean | undefined;
  private readonly allMulticast: boolean | undefined;

  /** Parses the options. */
  constructor(options: RequestOption[]) {
    const given = options.filter(({ key }) => key.startsWith(SYSCTL));
    this.sysctls = given.map(({ key, value }) => [checkedKey(key), value]);
    this.queueLength = parseInteger(options, 'txqlen');
    this.promiscuous = parseBool(options, 'promisc');
    this.allMulticast = parseBool(options, 'allmulti');
  }

  /** Applies them to a link, which has this name in the container. */
  apply(link: Link, name: string): void {
    if (this.queueLength !== undefined) links.setTxQueueLength(link, this.queueLength);
    if (this.promiscuous !== undefined) links.setPromiscuous(link, this.promiscuous);
    if (this.allMulticast !== undefined) links.setAllMulticast(link, this.allMulticast);
    for (const [key, value] of this.sysctls) sysctl.set('container', withName(key, name), value);
  }
}

/**
 * Returns the setting's key in the form of sysctl(8). Keys that don't belong to a network
 * namespace are refused, because they would apply to the whole machine.
 */
function checkedKey(option: string): string {
  const key = option.slice(SYSCTL.length);
  const [first, ...rest] = key.split('.');
  if (first === 'net' && rest.length >= 2 && !rest.includes('')) return key;
  throw new DriverError(
    'invalid',
    `option ${option}: ${quote(key)} is no setting of a network namespace: those are called ` +
      `net.…, for example net.ipv4.conf.${INTERFACE}.arp_filter`,
  );
}

/**
 * Returns the key with the interface's name. A dot in the name becomes a slash, because dots
 * separate the parts of a key.
 */
function withName(key: string, name: string): string {
  const parts = key.split('.');
  return parts.map((part) => (part === INTERFACE ? name.replaceAll('.', '/') : part)).join('.');
}
