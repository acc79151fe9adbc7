/**
 * In which partition a flux is. Promise: "nowhere" is said only when every partition answered; a
 * partition that is down makes a flux unreachable, never unknown.
 *
 * One flux has one name for life, in whatever partition. Only a stranger can be in two of them at
 * once, while it is brought to the partition of the guichet it is released to (`relocation.ts`): the
 * place of a stranger, or of one given up, is therefore asked each time; any other is remembered.
 */
import type { Flux } from "../../domain/flux.ts";
import { askEach, type Partition } from "./partition.ts";

/** The most places remembered; the oldest met is forgotten first, and asked again. */
const REMEMBERED = 50_000;

/** The reason of what is left in a partition when a flux was brought to another. */
export const MOVED_AWAY = "MOVED_TO_PARTITION";

export interface Copy {
  readonly partition: Partition;
  readonly flux: Flux;
}

export interface FluxPlaces {
  /** Notes where a flux was met. */
  met(flux: Flux, partition: Partition): void;
  /** Where it is, when that is known without asking. */
  known(fluxId: string): Partition | undefined;
  /** @throws STORE_UNAVAILABLE when it was not found and a partition did not answer */
  locate(fluxId: string): Promise<Copy | undefined>;
  /** Every copy of it, what it left behind included. @throws as `locate` */
  copies(fluxId: string): Promise<readonly Copy[]>;
}

/** True of what a flux leaves behind in the partition it was taken from. */
export function isMovedAway(flux: Flux): boolean {
  return flux.state === "discarded" && flux.reason?.code === MOVED_AWAY;
}

export function makeFluxPlaces(
  partitions: readonly Partition[],
  remembered: number = REMEMBERED,
): FluxPlaces {
  const places = new Map<string, Partition>();

  function met(flux: Flux, partition: Partition): void {
    // Discarded: by an operator, in the middle of a release perhaps, or because it was moved away.
    if (flux.state === "quarantined" || flux.state === "discarded") return;
    places.delete(flux.id);
    places.set(flux.id, partition);
    if (places.size <= remembered) return;
    const [oldest] = places.keys();
    if (oldest !== undefined) places.delete(oldest);
  }

  async function copies(fluxId: string): Promise<readonly Copy[]> {
    const { given, failed } = await askEach(partitions, (outbox) => outbox.find(fluxId));
    const found = given.flatMap(({ partition, value }) =>
      value === undefined ? [] : [{ partition, flux: value }],
    );
    const [failure] = failed;
    if (failure !== undefined && found.every(({ flux }) => isMovedAway(flux))) throw failure.error;
    return found;
  }

  return {
    met,
    known: (fluxId) => places.get(fluxId),
    copies,
    locate: async (fluxId) => {
      const known = places.get(fluxId);
      if (known !== undefined) {
        const flux = await known.ask((outbox) => outbox.find(fluxId));
        if (flux !== undefined) return { partition: known, flux };
        places.delete(fluxId);
      }
      const [best] = [...(await copies(fluxId))].sort((a, b) => rank(a.flux) - rank(b.flux));
      if (best !== undefined) met(best.flux, best.partition);
      return best;
    },
  };
}

/** Of two copies of one flux, the one that can still be acted on is the flux. */
function rank(flux: Flux): number {
  if (isMovedAway(flux)) return 2;
  return flux.state === "discarded" ? 1 : 0;
}
