/**
 * Makes identifiers of fluxes: 26 characters, sortable by time of arrival, never guessed from one
 * another (the ULID layout: 48 bits of milliseconds, 80 bits of chance, Crockford base 32).
 */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** @param at - time of arrival, ms since the epoch. @param chance - gives n random bytes. */
export function makeFluxId(at: number, chance: (bytes: number) => Uint8Array): string {
  let time = "";
  let rest = at;
  for (let i = 0; i < 10; i += 1) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let random = "";
  for (const byte of chance(16)) random += ALPHABET.charAt(byte & 31);
  return time + random;
}

/** True when the text has the shape of one of our identifiers. */
export function isFluxId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text);
}
