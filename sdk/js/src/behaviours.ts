/**
 * Behaviours: options that every driver can offer, for a network or for one container. They are
 * like CNI's plugins tuning, bandwidth and sbr.
 */

import { Rates } from './behaviours/rates.js';
import { SourceRouting } from './behaviours/source-routing.js';
import { Tuning } from './behaviours/tuning.js';
import { addresses } from './calls/addresses.js';
import type { Link } from './calls/links.js';
import {
  acceptRouterAdvertisements,
  announceAddresses,
  configure,
  disableAutoconf,
  ignoreRouterAdvertisements,
} from './configure.js';
import { Dad } from './dad.js';
import { parseBool } from './options.js';
import type { Request, RequestOption } from './types.js';

// The longest wait for duplicate address detection, in milliseconds. It waits at most one
// second before its probe (RFC 4862, section 5.4.2) and one second for an answer (RFC 4861,
// section 10), after the link has a carrier.
const DAD_MAX = 5000;

/**
 * The parsed options of behaviours. A manifest declares them under `behaviours`. What it doesn't
 * declare isn't given.
 */
export class Behaviours {
  private readonly tuning: Tuning;
  private readonly rates: Rates;
  private readonly sourceRouting: SourceRouting | undefined;
  private readonly isAnnounced: boolean | undefined;
  private readonly waitsForDad: boolean | undefined;
  private readonly acceptsRa: boolean | undefined;

  /** Parses the options. It throws `invalid` if they don't go together. */
  constructor(options: RequestOption[]) {
    this.tuning = new Tuning(options);
    this.rates = new Rates(options);
    this.sourceRouting = SourceRouting.parse(options);
    this.isAnnounced = parseBool(options, 'announce');
    this.waitsForDad = parseBool(options, 'wait_dad');
    this.acceptsRa = parseBool(options, 'accept_ra');
  }

  /**
   * Sets the properties and the kernel settings that the options give the container's link. It
   * must be called before the link has addresses. Router advertisements add no addresses, unless
   * the option `accept_ra` says so, because Podman chooses the addresses.
   */
  tune(link: Link, request: Request): void {
    if (this.acceptsRa !== true) disableAutoconf(link);
    this.tuning.apply(link, request.interfaceName);
  }

  /**
   * Takes or ignores router advertisements, if the option is given. It must be called before the
   * link is up.
   */
  acceptRa(link: Link): void {
    if (this.acceptsRa === true) acceptRouterAdvertisements(link);
    if (this.acceptsRa === false) ignoreRouterAdvertisements(link);
  }

  /** Makes the kernel announce the addresses that the link will have, if the option is given. */
  announce(link: Link): void {
    if (this.isAnnounced) announceAddresses(link);
  }

  /**
   * Waits until the IPv6 addresses of the container's link can be used, if the option is given.
   * It fails if another machine has one of them.
   */
  waitDad(link: Link): void {
    if (this.waitsForDad) addresses.waitDad(link, DAD_MAX);
  }

  /**
   * Tunes the container's link, gives it its addresses, sets it up and adds the routes. With
   * source routing, the routes apply only to packets from the link's addresses. `metric` is for
   * default routes for which the user gave none.
   */
  configure(link: Link, request: Request, metric?: number, dad = Dad.ON): void {
    this.tune(link, request);
    if (this.sourceRouting) this.sourceRouting.configure(link, request, metric, dad);
    else configure(link, request, metric, dad);
  }

  /**
   * Adds the rules of source routing, if the option is given. Returns the table for the
   * container's routes.
   */
  sourceTable(request: Request): number | undefined {
    return this.sourceRouting?.addRules(request);
  }

  /** Limits the rates of a link of the container. */
  limit(link: Link): void {
    this.rates.limit(link);
  }

  /** Limits the rates of a link of the container, at its peer on the host. */
  limitPort(port: Link): void {
    this.rates.limitPort(port);
  }
}
