/** Addresses, networks and numbers as text. */

/** The highest 32-bit number. */
export const U32_MAX = 2 ** 32 - 1;

/** Returns whether an address or a network is IPv6. */
export function isV6(address: string): boolean {
  return address.includes(':');
}

/** Returns an address without its prefix length. */
export function withoutPrefix(address: string): string {
  return cut(address, '/')[0];
}

/** Returns the network that contains only an address. */
export function alone(address: string): string {
  const plain = withoutPrefix(address);
  return `${plain}/${isV6(plain) ? 128 : 32}`;
}

/**
 * Returns the parts of a text before and behind the first of a character. Without one,
 * the second part is absent.
 */
export function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

/** Returns the words of a text, between which is white space. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Returns a text in quotation marks. */
export function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Returns a whole number in a range, or nothing if the text is none. */
export function parseNumber(text: string, first: number, last: number): number | undefined {
  const form = first < 0 ? /^[+-]?[0-9]+$/ : /^\+?[0-9]+$/;
  const number = form.test(text) ? Number(text) : Number.NaN;
  return first <= number && number <= last ? number : undefined;
}

/** Returns the bytes of an address, 4 or 16, or nothing if the text is none. */
export function parseAddress(text: string): number[] | undefined {
  return isV6(text) ? parseV6(text) : parseV4(text);
}

/** Returns whether two texts are the same address. */
export function isSameAddress(one: string, other: string): boolean {
  const bytes = parseAddress(one);
  return bytes !== undefined && String(bytes) === String(parseAddress(other));
}

function parseV4(text: string): number[] | undefined {
  const bytes = text.split('.').map((part) => {
    const hasForm = /^(0|[1-9][0-9]{0,2})$/.test(part);
    return hasForm ? parseNumber(part, 0, 255) : undefined;
  });
  return bytes.length === 4 ? all(bytes) : undefined;
}

function parseV6(text: string): number[] | undefined {
  const [before, behind, ...more] = text.split('::').map(groups);
  if (before === undefined || more.length > 0) return undefined;
  const zeros = 16 - before.length - (behind?.length ?? 0);
  const isWhole = behind === undefined ? zeros === 0 : zeros >= 2;
  if (!isWhole) return undefined;
  const gap = new Array<number>(behind === undefined ? 0 : zeros).fill(0);
  return all([...before, ...gap, ...(behind ?? [])]);
}

/** Returns the bytes of groups of an IPv6 address, the last of which may be IPv4. */
function groups(text: string): (number | undefined)[] {
  if (text === '') return [];
  const parts = text.split(':');
  return parts.flatMap((part, index) => {
    if (index === parts.length - 1 && part.includes('.')) return parseV4(part) ?? [undefined];
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return [undefined];
    const group = Number.parseInt(part, 16);
    return [group >> 8, group & 255];
  });
}

function all(bytes: (number | undefined)[]): number[] | undefined {
  const known = bytes.filter((byte) => byte !== undefined);
  return known.length === bytes.length ? known : undefined;
}

/** Returns the text of an address with these bytes. */
export function formatAddress(bytes: number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const parts = bytes.flatMap((byte, index) => {
    const next = bytes[index + 1] ?? 0;
    return index % 2 === 0 ? [(byte * 256 + next).toString(16)] : [];
  });
  return shorten(parts);
}

/** Writes the longest run of zeros of an IPv6 address as `::` (RFC 5952, section 4.2). */
function shorten(parts: string[]): string {
  let best = { start: 0, length: 1 };
  let start = 0;
  for (const [index, part] of [...parts, 'end'].entries()) {
    if (part === '0') continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  if (best.length < 2) return parts.join(':');
  const before = parts.slice(0, best.start).join(':');
  return `${before}::${parts.slice(best.start + best.length).join(':')}`;
}

/**
 * Returns the network of an address with a prefix length, or nothing if it contains only
 * the address.
 */
export function network(address: string): string | undefined {
  const [plain, text] = cut(address, '/');
  const bytes = parseAddress(plain) ?? [];
  const length = parseNumber(text ?? '', 0, bytes.length * 8 - 1);
  if (length === undefined) return undefined;
  const masked = bytes.map((byte, index) => {
    const bits = Math.min(Math.max(length - index * 8, 0), 8);
    return byte & (0xff00 >> bits) & 255;
  });
  return `${formatAddress(masked)}/${length}`;
}

/** Returns whether a text is an address with a prefix length. */
export function isNetwork(text: string): boolean {
  const [plain, length] = cut(text, '/');
  const bits = (parseAddress(plain)?.length ?? -1) * 8;
  return parseNumber(length ?? '', 0, bits) !== undefined;
}
