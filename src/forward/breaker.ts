/**
 * The circuit breaker, as the forwarder sees it. Open, it costs no attempt to anyone: the forwarder
 * asks before it claims. Its state is kept by the store, so that a restart does not forget an outage
 * and other gateways know of it.
 */
export type BreakerState = "closed" | "open" | "halfOpen";

export interface Breaker {
  readonly state: BreakerState;
  /** When an open breaker will let one call through, ms since the epoch. */
  readonly retryAt: number | undefined;
  /**
   * True when a call may be made now; asked before a flux is claimed. Half open, the one call that
   * tries the link is given to one gateway of those on the store.
   */
  mayCall(): Promise<boolean>;
  /**
   * Runs one call through the breaker. `linkWorks` tells whether what came back counts as a failure
   * of the link (the SNE's answers about a flux do not); undefined when it says nothing of the link,
   * either way: what was given up half-way, for one.
   * @returns what the call gave, or undefined when the breaker refused to make it
   */
  run<T>(
    call: () => Promise<T>,
    linkWorks: (result: T) => boolean | undefined,
  ): Promise<T | undefined>;
  /** Called on each change of state. */
  onChange(listener: (state: BreakerState) => void): void;
}

/** What of a breaker outlives the process, and is told to the other gateways. */
export interface BreakerMark {
  /** Until when it is open, ms since the epoch; undefined when it is closed. */
  readonly openUntil: number | undefined;
}

/** The breaker of one gateway, which knows nothing of the others. */
export interface LocalBreaker extends Omit<Breaker, "mayCall"> {
  /** Opens until a time, or closes, on another's word: it is not saved. */
  follow(mark: BreakerMark): void;
  stop(): void;
}
