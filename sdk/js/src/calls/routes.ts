/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `routes`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/routes@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/routes@0.3.0';

/** The calls. */
export const routes = throwing(host);
