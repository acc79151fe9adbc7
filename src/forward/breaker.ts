/**
 * The circuit breaker, as the forwarder sees it. Open, it costs no attempt to anyone: the forwarder
 * asks before it claims. Its state is kept by the store, so that a restart does not forget an outage.
 */
export type BreakerState = "closed" | "open" | "halfOpen";

export interface Breaker {
  readonly state: BreakerState;
  /** When an open breaker will let one call through, ms since the epoch. */
  readonly retryAt: number | undefined;
  /**
   * Runs one call through the breaker. `linkWorks` tells whether what came back counts as a failure
   * of the link (the SNE's answers about a flux do not).
   * @returns what the call gave, or undefined when the breaker refused to make it
   */
  run<T>(call: () => Promise<T>, linkWorks: (result: T) => boolean): Promise<T | undefined>;
  /** Called on each change of state. */
  onChange(listener: (state: BreakerState) => void): void;
  stop(): void;
}
