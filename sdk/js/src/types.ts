/// <reference path="../interface.d.ts" preserve="true" />
/** The types that the interfaces share. */

export type * from 'wasmvark:driver/types@0.3.0';
