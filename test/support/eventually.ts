/**
 * Waits for a condition, never for a time: how every test waits for something another part does.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

const POLL_MS = 15;

type Falsy = undefined | null | false;

/**
 * Polls `condition` until it answers something other than undefined, null or false, and resolves
 * with that answer. A condition that throws is tried again. After `withinMs` it fails, naming the
 * step and what the last try answered or threw.
 */
export async function eventually<T>(
  step: string,
  condition: () => T | Falsy | Promise<T | Falsy>,
  { withinMs = 30_000 }: { readonly withinMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: string;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
      last = `last answer: ${inspect(value)}`;
      cause = undefined;
    } catch (error) {
      last = `last error: ${error instanceof Error ? error.message : inspect(error)}`;
      cause = error;
    }
    await sleep(POLL_MS);
  } while (Date.now() < deadline);
  throw new Error(`Not within ${withinMs} ms: ${step} (${last})`, { cause });
}
