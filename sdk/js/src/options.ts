/** Options. The host has checked that each value is one that the manifest declares. */

import type { MacvlanMode } from './calls/links.js';
import { DriverError } from './errors.js';
import { formatAddress, parseAddress, parseNumber, quote, U32_MAX } from './text.js';
import type { RequestOption } from './types.js';

/** The values of an option for the mode of macvlan links. The first is the default. */
export const MACVLAN_MODES: readonly MacvlanMode[] = [
  'bridge',
  'private',
  'vepa',
  'passthru',
  'source',
];

// Go's words for truth values (`strconv.ParseBool`), which Podman takes for its own drivers.
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** Returns the value of an option. */
export function find(options: RequestOption[], key: string): string | undefined {
  return options.find((option) => option.key === key)?.value;
}

/** Returns the error for a value that an option can't have. */
export function refused(key: string, text: string, expected: string): DriverError {
  const message = `unable to parse "${key}": ${quote(text)} is not ${expected}`;
  return new DriverError('invalid', message);
}

/** Returns the value of an option that is a truth value, if it is given. */
export function parseBool(options: RequestOption[], key: string): boolean | undefined {
  const text = find(options, key);
  if (text === undefined) return undefined;
  const isTrue = TRUE.includes(text.trim());
  if (!isTrue && !FALSE.includes(text.trim())) throw refused(key, text, 'true or false');
  return isTrue;
}

/** Returns the value of an option that is a whole number, if it is given. */
export function parseInteger(
  options: RequestOption[],
  key: string,
  first = 0,
  last = U32_MAX,
): number | undefined {
  const text = find(options, key);
  if (text === undefined) return undefined;
  const number = parseNumber(text.trim(), first, last);
  if (number !== undefined) return number;
  throw refused(key, text, `a whole number from ${first} to ${last}`);
}

/** Returns the value of an option that is an address of a version of IP, if it is given. */
export function parseIp(options: RequestOption[], key: string, version: 4 | 6): string | undefined {
  const text = find(options, key);
  if (text === undefined) return undefined;
  const bytes = parseAddress(text);
  if (bytes?.length === (version === 4 ? 4 : 16)) return formatAddress(bytes);
  throw refused(key, text, `an IPv${version} address`);
}

/** Returns the choice that an option names, or the first one if it is missing or empty. */
export function choose<T extends string>(
  options: RequestOption[],
  key: string,
  choices: readonly T[],
): T {
  const word = find(options, key) || choices[0];
  const chosen = choices.find((choice) => choice === word);
  if (chosen === undefined) throw refused(key, word ?? '', `one of ${choices.join(', ')}`);
  return chosen;
}
