/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `announce`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/announce@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/announce@0.3.0';

/** The calls. */
export const announce = throwing(host);
