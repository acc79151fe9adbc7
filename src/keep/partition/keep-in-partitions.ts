/**
 * Keeps a batch where each of its fluxes belongs. Promise: whole or not at all within a partition; over
 * several, nothing is written before each has proven that it can be written to, and when one fails all
 * the same, the batch is rejected: told again, what was kept is the same arrival, or a repeat.
 */
import type { KeepResult, NewFlux } from "../outbox.ts";
import type { FluxPlaces } from "./flux-places.ts";
import type { Homes } from "./homes.ts";
import { askAll, type Partition } from "./partition.ts";

export async function keepInPartitions(
  batch: readonly NewFlux[],
  homes: Homes,
  places: FluxPlaces,
): Promise<readonly KeepResult[]> {
  const destined = await Promise.all(batch.map((flux) => partitionFor(flux, homes)));
  const involved = [...new Set(destined)];
  if (involved.length > 1) await askAll(involved, (outbox) => outbox.probe());
  const results: KeepResult[] = [];
  for (const partition of involved) {
    const mine = batch.flatMap((flux, index) =>
      destined[index] === partition ? [{ flux, index }] : [],
    );
    const kept = await partition.ask((outbox) => outbox.keep(mine.map(({ flux }) => flux)));
    kept.forEach((result, place) => {
      places.met(result.kind === "kept" ? result.flux : result.first, partition);
      const index = mine[place]?.index;
      if (index !== undefined) results[index] = result;
    });
  }
  return results;
}

/**
 * The home of its guichet; of a stranger, that of the guichet its file names. A guichet that changed
 * home has a past elsewhere: a content that is alive there, or had its effect, is a repeat there.
 */
async function partitionFor(flux: NewFlux, homes: Homes): Promise<Partition> {
  const guichet = flux.guichet ?? flux.envelope?.numGuichet;
  const home = homes.homeOf(guichet);
  if (guichet === undefined || flux.identity === undefined || flux.state === "quarantined") {
    return home;
  }
  const { sha256 } = flux;
  for (const former of homes.formersOf(guichet)) {
    const { fluxes } = await former.ask((outbox) => outbox.list({ guichet, sha256, limit: 500 }));
    const isHeld = fluxes.some(
      ({ state, verdict }) =>
        !["quarantined", "refused", "discarded"].includes(state) && verdict?.kind !== "refused",
    );
    if (isHeld) return former;
  }
  return home;
}
