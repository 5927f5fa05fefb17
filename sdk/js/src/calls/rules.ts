/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `rules`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/rules@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/rules@0.3.0';

/** The calls. */
export const rules = throwing(host);
