/** Remembers the work in hand, so that a part that stops can wait for all of it. */
export interface InHand {
  /** Counts a piece of work until it ends, well or not; gives it back as it is. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves when nothing is in hand any more. */
  settled(): Promise<void>;
}

export function makeInHand(): InHand {
  const works = new Set<Promise<unknown>>();
  return {
    track: (work) => {
      const forget = (): void => void works.delete(work);
      works.add(work);
      work.then(forget, forget);
      return work;
    },
    settled: async () => {
      while (works.size > 0) await Promise.allSettled(works);
    },
  };
}
