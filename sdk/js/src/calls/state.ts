/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `state`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/state@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/state@0.3.0';

/** The calls. */
export const state = throwing(host);
