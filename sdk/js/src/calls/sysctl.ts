/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `sysctl`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/sysctl@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/sysctl@0.3.0';

/** The calls. */
export const sysctl = throwing(host);
