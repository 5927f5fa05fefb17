/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `log`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/log@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/log@0.3.0';

/** The calls. */
export const log = throwing(host);
