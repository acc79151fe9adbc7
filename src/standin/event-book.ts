/**
 * The events the stand-in keeps, by demande. Identifiers go up and are never given twice, so that
 * the same changes in the same order give the same events: what a restart relies on.
 */

export interface EventTraitValue {
  readonly code: string;
  readonly valeur?: string;
}

/** What a file says of an event; what it does not say stays as it was. */
export interface GivenEvent {
  readonly id?: number;
  readonly type?: string;
  /** xs:date */
  readonly dateSurvenance?: string;
  readonly commentaire?: string;
  readonly traits?: readonly EventTraitValue[];
}

export interface KeptEvent extends GivenEvent {
  readonly id: number;
  readonly createdBy: string;
  /** ms since the epoch */
  readonly createdAt: number;
  readonly changedBy?: string;
  readonly changedAt?: number;
}

/** Who changes, and when. */
export interface EventAuthor {
  /** codeGuichet of the file. */
  readonly by: string;
  /** ms since the epoch */
  readonly at: number;
}

export interface EventBook {
  of(numUnique: string): readonly KeptEvent[];
  /** These three suppose that the rules agreed; they give back the events they touched. */
  add(numUnique: string, given: readonly GivenEvent[], author: EventAuthor): readonly KeptEvent[];
  change(
    numUnique: string,
    given: readonly GivenEvent[],
    author: EventAuthor,
  ): readonly KeptEvent[];
  remove(numUnique: string, ids: readonly number[]): readonly KeptEvent[];
  /** All of a demande that is no more. */
  drop(numUnique: string): void;
  forget(): void;
  readonly size: number;
}

export function makeEventBook(): EventBook {
  const events = new Map<string, KeptEvent[]>();
  let given = 0;
  let size = 0;
  const of = (numUnique: string): readonly KeptEvent[] => events.get(numUnique) ?? [];
  const drop = (numUnique: string): void => {
    size -= of(numUnique).length;
    events.delete(numUnique);
  };
  return {
    of,
    add: (numUnique, added, { by, at }) => {
      const kept = added.map((event): KeptEvent => {
        given += 1;
        return { ...event, id: given, createdBy: by, createdAt: at };
      });
      size += kept.length;
      events.set(numUnique, [...of(numUnique), ...kept]);
      return kept;
    },
    change: (numUnique, changes, { by, at }) => {
      const touched: KeptEvent[] = [];
      for (const change of changes) {
        const after = of(numUnique).map((event) => {
          if (event.id !== change.id) return event;
          const changed = { ...changedEvent(event, change), changedBy: by, changedAt: at };
          touched.push(changed);
          return changed;
        });
        events.set(numUnique, after);
      }
      return touched;
    },
    remove: (numUnique, ids) => {
      const removed = of(numUnique).filter(({ id }) => ids.includes(id));
      const left = of(numUnique).filter(({ id }) => !ids.includes(id));
      size -= removed.length;
      if (left.length === 0) events.delete(numUnique);
      else events.set(numUnique, left);
      return removed;
    },
    drop,
    forget: () => {
      events.clear();
      given = 0;
      size = 0;
    },
    get size() {
      return size;
    },
  };
}

/** The event once changed: traits given replace those of the same code. */
export function changedEvent(event: KeptEvent, change: GivenEvent): KeptEvent {
  const { traits = [] } = change;
  const others = (event.traits ?? []).filter(
    ({ code }) => !traits.some((trait) => trait.code === code),
  );
  return { ...event, ...change, id: event.id, traits: [...others, ...traits] };
}
