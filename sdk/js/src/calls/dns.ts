/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `dns`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/dns@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/dns@0.3.0';

/** The calls. */
export const dns = throwing(host);
