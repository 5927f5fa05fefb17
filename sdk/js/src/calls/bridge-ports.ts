/// <reference path="../../interface.d.ts" preserve="true" />
/** The calls of the interface `bridge-ports`, whose errors are of the class `DriverError`. */

import * as host from 'wasmvark:driver/bridge-ports@0.3.0';
import { throwing } from '../errors.js';

export type * from 'wasmvark:driver/bridge-ports@0.3.0';

/** The calls. */
export const bridgePorts = throwing(host);
