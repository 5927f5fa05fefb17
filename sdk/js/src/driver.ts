/** The functions of a driver. */

import type { CreateRequest, NetworkChange, Request, SetupAnswer } from './types.js';

/** What a driver's module exports as `handler`. */
export interface Handler {
  /** Checks a new network, and returns changes of it. */
  create(request: CreateRequest): NetworkChange[];
  /** Connects a container. */
  setup(request: Request): SetupAnswer;
  /** Disconnects a container. The host undoes what `setup` did in any case. */
  teardown(request: Request): void;
}

/** Returns the answer of a driver without DNS servers of its own. */
export function noNameServers(): SetupAnswer {
  return { dnsServers: [], searchDomains: [] };
}
