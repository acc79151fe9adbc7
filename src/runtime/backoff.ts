/**
 * Growing, jittered delays between attempts ("full jitter": AWS Architecture Blog, 2015), so that a
 * thousand fluxes put off together do not come back together.
 */
export interface Backoff {
  /** First delay, ms. */
  readonly firstMs: number;
  /** Longest delay, ms. */
  readonly maxMs: number;
}

/**
 * The delay before the next attempt, ms: between half and the whole of `firstMs × 2^(attempt-1)`,
 * never over `maxMs`.
 * @param attempt - attempts already made, from 1
 * @param fraction - a number in [0, 1)
 */
export function backoffDelay(backoff: Backoff, attempt: number, fraction: number): number {
  const whole = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(whole / 2 + (whole / 2) * fraction);
}
