/// <reference path="../interface.d.ts" preserve="true" />
/** Errors of calls and of drivers. */

import type { Error as Payload } from 'wasmvark:driver/types@0.3.0';

/** The case of an error. */
export type Tag = Payload['tag'];

/**
 * An error of a call, or one that a driver gives the user: its functions throw it.
 * Another error that they throw is a crash.
 */
export class DriverError extends Error {
  /** The error as the host takes it. */
  readonly payload: Payload;

  /** Makes an error of a case, with a message for the user. */
  constructor(tag: Tag, message: string) {
    super(message);
    this.name = 'DriverError';
    this.payload = { tag, val: message };
  }

  /** The case of the error. */
  get tag(): Tag {
    return this.payload.tag;
  }
}

/** Returns whether an error that was thrown is of one of these cases. */
export function isError(error: unknown, ...tags: Tag[]): error is DriverError {
  return error instanceof DriverError && tags.includes(error.tag);
}

/** Calls a function, and ignores its errors of these cases. */
export function ignoring(tags: Tag[], call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isError(error, ...tags)) throw error;
  }
}

/** Returns an interface of the host whose calls throw a {@link DriverError}. */
export function throwing<T extends object>(host: T): T {
  const calls = Object.entries(host).map(([name, value]) => [name, wrap(name, value)]);
  return Object.fromEntries(calls);
}

function wrap(name: string, value: unknown): unknown {
  // Resources have capital letters.
  const isCall = typeof value === 'function' && name.charAt(0) === name.charAt(0).toLowerCase();
  if (!isCall) return value;
  return (...args: unknown[]) => {
    try {
      return value(...args);
    } catch (error) {
      throw hasPayload(error) ? new DriverError(error.payload.tag, error.payload.val) : error;
    }
  };
}

function hasPayload(error: unknown): error is { payload: Payload } {
  return error instanceof Error && 'payload' in error;
}
