/**
 * The numéro unique: opaque to us. Its shape is a setting (`GATEWAY_NUMERO_UNIQUE_PATTERN`), since
 * only one sample is public (sne-facts, section 4: 18 characters, layout inferred).
 */

/** Shape seen in 2018: eighteen upper-case letters and digits. Inferred; replaced by a setting. */
export const DEFAULT_NUMERO_UNIQUE_PATTERN = "^[0-9A-Z]{18}$";

/** True when the text may be a numéro unique. */
export function looksLikeNumeroUnique(text: string, pattern: RegExp): boolean {
  return pattern.test(text);
}
