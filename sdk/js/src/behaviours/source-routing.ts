/**
 * Source routing, for containers on several networks. The network's routes apply only to packets
 * from the container's addresses on it. This is like CNI's plugin sbr.
 */

import { addresses } from '../calls/addresses.js';
import { type Link, links } from '../calls/links.js';
import { type RouteOptions, routes } from '../calls/routes.js';
import { type RuleInfo, rules } from '../calls/rules.js';
import { addRoutes, PLAIN_ROUTE } from '../configure.js';
import type { Dad } from '../dad.js';
import { DriverError } from '../errors.js';
import { parseBool, parseInteger } from '../options.js';
import { alone, isV6, network } from '../text.js';
import type { IpVersion, Request, RequestOption } from '../types.js';

// The first table that is chosen, as in CNI.
const FIRST_TABLE = 100;
// The tables to which the kernel gives a meaning.
const KERNEL_TABLES = [0, 253, 254, 255];
// The priority right before the main table's rule.
const BEFORE_MAIN = 32765;

/** The parsed options of source routing. */
export class SourceRouting {
  private constructor(private readonly table: number | undefined) {}

  /** Parses the options. Without source routing, it returns nothing. */
  static parse(options: RequestOption[]): SourceRouting | undefined {
    const table = parseInteger(options, 'source_table');
    if (!parseBool(options, 'source_routing')) {
      if (table === undefined) return undefined;
      throw new DriverError('invalid', 'source_table needs source_routing=true');
    }
    if (table !== undefined && KERNEL_TABLES.includes(table)) {
      throw new DriverError(
        'invalid',
        `source_table ${table} is not possible: the kernel has it for all packets`,
      );
    }
    return new SourceRouting(table);
  }

  /** Gives the link its addresses, sets it up, and adds its routes to a table of their own. */
  configure(link: Link, request: Request, metric: number | undefined, dad: Dad): void {
    for (const address of request.addresses) {
      addresses.add(link, address, dad.addressOptions(true));
    }
    // A route needs a link that is up.
    links.setUp(link);
    const options = { ...PLAIN_ROUTE, table: this.addRules(request) };
    for (const address of request.addresses) addDirectRoute(address, request, options);
    addRoutes(request, metric, options);
  }

  /**
   * Adds rules that route packets from the container's addresses by a table, and returns the
   * table.
   */
  addRules(request: Request): number {
    const there = rules.list('container');
    const table = this.table ?? freeTable(there);
    const priorities = {
      ipv4: priorityBefore(there, 'ipv4'),
      ipv6: priorityBefore(there, 'ipv6'),
    };
    for (const address of request.addresses) {
      const version = isV6(address) ? 'ipv6' : 'ipv4';
      const priority = priorities[version];
      rules.add('container', { source: alone(address), priority, table });
      priorities[version] = Math.max(priority - 1, 0);
    }
    return table;
  }
}

/** Returns the first table that no rule uses and that has no routes. */
function freeTable(there: RuleInfo[]): number {
  const used = new Set([...there.map(({ rule }) => rule.table), ...KERNEL_TABLES]);
  let table = FIRST_TABLE;
  while (used.has(table) || routes.list('container', table).length > 0) table += 1;
  return table;
}

/**
 * Returns the priority that the kernel would give a rule without one. Such a rule comes second,
 * after the rule of the table `local`.
 */
function priorityBefore(there: RuleInfo[], version: IpVersion): number {
  const [, second] = there.filter(({ rule }) => rule.version === version);
  return second === undefined ? BEFORE_MAIN : Math.max(second.rule.priority - 1, 0);
}

/** Adds the route through the link to the network of an address. */
function addDirectRoute(address: string, request: Request, options: RouteOptions): void {
  const destination = network(address);
  if (destination === undefined) return;
  // These are the metrics of the kernel's own prefix routes.
  const metric = isV6(destination) ? 256 : 0;
  const through = { ...options, link: request.interfaceName };
  routes.add('container', { destination, metric, kind: 'unicast' }, through);
}
