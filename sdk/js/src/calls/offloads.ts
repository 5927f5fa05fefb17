/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `offloads`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/offloads@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/offloads@0.3.0';

/** The calls. */
export const offloads = throwing(host);
