/** Makes any text safe as one line of a mail header: no line end, no control, at most 200 characters. */
export function safeSubject(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim()
    .slice(0, 200);
}
