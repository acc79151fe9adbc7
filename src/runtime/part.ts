/**
 * Everything that runs is a Part. Parts are started in order and stopped in reverse; one that fails
 * to stop never keeps the others from stopping.
 */

export interface Part {
  readonly name: string;
  /** Resolves when the part serves; rejects when it cannot. */
  start(): Promise<void>;
  /** Takes nothing new, waits for the work in hand; may be called twice. */
  stop(): Promise<void>;
}

/** Starts parts in order; when one fails, those already started are stopped, and its error thrown. */
export async function startParts(parts: readonly Part[]): Promise<void> {
  const started: Part[] = [];
  for (const part of parts) {
    try {
      await part.start();
      started.push(part);
    } catch (error) {
      // The first error tells; those of stopping what had started would hide it.
      await stopParts(started);
      throw error;
    }
  }
}

/** Stops parts in reverse order, all of them, and returns what went wrong, by name. */
export async function stopParts(
  parts: readonly Part[],
): Promise<readonly { name: string; error: unknown }[]> {
  const failures: { name: string; error: unknown }[] = [];
  for (const part of parts.toReversed()) {
    try {
      await part.stop();
    } catch (error) {
      failures.push({ name: part.name, error });
    }
  }
  return failures;
}
