/** Duplicate address detection (RFC 4862, section 5.4). */

import type { AddressOptions } from './calls/addresses.js';
import type { Link } from './calls/links.js';
import { sysctl } from './calls/sysctl.js';
import { ignoring } from './errors.js';
import { parseBool } from './options.js';
import { isV6 } from './text.js';
import type { Network, RequestOption } from './types.js';

/**
 * Whether a link's IPv6 addresses wait until no other machine is known to have them, which
 * takes a second or two.
 */
export class Dad {
  /** Addresses wait. */
  static readonly ON = new Dad(true);
  /** Addresses can be used at once. */
  static readonly OFF = new Dad(false);

  private constructor(private readonly isOn: boolean) {}

  /**
   * Returns what the option `accept_dad` says, or else this default: off where Podman alone
   * gives addresses, as with netavark, and on where other machines may have them.
   */
  orGiven(options: RequestOption[]): Dad {
    const given = parseBool(options, 'accept_dad') ?? this.isOn;
    return given ? Dad.ON : Dad.OFF;
  }

  /**
   * Turns the detection off for a link of a network with IPv6, also of its link-local address,
   * from which the host asks for a container's MAC address. It is called before the link is
   * up. A kernel without IPv6 has no detection. With a read-only `/proc/sys` the addresses of
   * {@link addressOptions} can be used at once all the same.
   */
  set(link: Link, network: Network): void {
    if (this.isOn || !network.subnets.some(({ subnet }) => isV6(subnet))) return;
    ignoring(['not-found', 'read-only'], () => sysctl.setAcceptDad(link, false));
  }

  /** Returns the options of an address. */
  addressOptions(noPrefixRoute = false): AddressOptions {
    return { noDad: !this.isOn, noPrefixRoute };
  }
}
