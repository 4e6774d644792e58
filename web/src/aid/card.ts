/** Cards as they are printed, and the hashes that stand for them: the same as the server's. */

const SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ALIKE: Record<string, string> = { O: "0", I: "1", L: "1" };

/** What is kept of a card: SHA-256 of its 16 bytes; null where it is no card or a sign is wrong. */
export async function cardHash(token: string): Promise<Uint8Array | null> {
  const bytes = readCard(token);
  return bytes === null ? null : new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
}

/** What a lease calls a card: HMAC-SHA256 of its hash under the lease's salt, in hexadecimal. */
export async function mark(salt: string, card: Uint8Array): Promise<string> {
  const key = await crypto.subtle.importKey("raw", unhex(salt) as BufferSource, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", key, card as BufferSource)));
}

/** The 16 bytes of a card; null where it is none. */
export function readCard(token: string): Uint8Array | null {
  const digits = [...token.replace(/[\s-]/g, "").toUpperCase()].map((sign) => SIGNS.indexOf(ALIKE[sign] ?? sign));
  if (digits.length !== 27 || digits.includes(-1)) return null;
  const check = digits.pop();
  if (digits.reduce((total, digit) => doubled(total ^ digit), 0) !== check) return null;
  let value = digits.reduce((total, digit) => (total << 5n) | BigInt(digit), 0n);
  if (value >> 128n) return null;
  const bytes = new Uint8Array(16);
  for (let place = 15; place >= 0; place -= 1, value >>= 8n) bytes[place] = Number(value & 255n);
  return bytes;
}

/** An element of the field of 32 times the root of x⁵ + x² + 1. */
function doubled(element: number): number {
  const twice = element << 1;
  return twice & 32 ? twice ^ 0b100101 : twice;
}

export const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
