/**
 * Releases a stranger to its guichet, wherever each of them is: a stranger kept elsewhere is first
 * brought to the partition of the guichet, where its lane and the identities of its contents are, then
 * released there as any other. It keeps its name, its bytes and its time of arrival.
 *
 * Promise, under `kill -9` at any step: it is never forwarded twice and never vanishes. The steps are
 * 1. kept in the guichet's partition, quarantined still, under an arrival key made of its name;
 * 2. ended in the partition it leaves, discarded with the reason MOVED_TO_PARTITION;
 * 3. released where it is now.
 * Until 2, both copies are quarantined: nothing forwards either, both are seen, and releasing again
 * goes on from there (step 1 is then the same arrival). The bilan counts what is left behind as
 * received and as discarded, so that it balances at every moment.
 *
 * BUGS: in its new partition it stands in its lane by the time it was brought there, behind those
 * that already waited. Strangers whose file names a guichet are kept in its partition from the start,
 * so that only those from before a change of the settings are ever brought over.
 */
import { errorText, gatewayError } from "../../domain/errors.ts";
import type { Flux } from "../../domain/flux.ts";
import { sha256Of } from "../identity.ts";
import type { Move, MoveResult, NewFlux, StoredFile } from "../outbox.ts";
import { type Copy, type FluxPlaces, isMovedAway, MOVED_AWAY } from "./flux-places.ts";
import type { Partition } from "./partition.ts";

/** The detail of the first event of a flux that came from another partition: which one. */
export const MOVED_FROM = "movedFrom";

/** @param home - the partition of the guichet that the move attributes the flux to */
export async function releaseTo(
  home: Partition,
  move: Move,
  places: FluxPlaces,
): Promise<MoveResult> {
  const copies = await places.copies(move.fluxId);
  const live = copies.filter(({ flux }) => !isMovedAway(flux));
  const [first] = live.length > 0 ? live : copies;
  if (first === undefined) return { kind: "notFound" };
  const isHome = live.some(({ partition }) => partition === home);
  const strangers = live.filter(
    ({ partition, flux }) => partition !== home && flux.state === "quarantined",
  );
  // Not a stranger, or one that is not to be released: its own store says why nothing is moved.
  if (!isHome && (strangers.length === 0 || !move.from.includes("quarantined"))) {
    return first.partition.ask((outbox) => outbox.move(move));
  }
  for (const stranger of strangers) {
    const notBrought = await bring(stranger, home, move.at);
    if (notBrought !== undefined) return { kind: "notMoved", flux: notBrought };
  }
  return home.ask((outbox) => outbox.move(move));
}

/** @returns undefined once it is at home; otherwise what it became meanwhile where it was */
async function bring(
  { partition, flux }: Copy,
  home: Partition,
  at: number,
): Promise<Flux | undefined> {
  const file = await partition.ask((outbox) => outbox.file(flux.id, "original"));
  if (file === undefined || sha256Of(file.bytes) !== flux.sha256) {
    throw gatewayError("PAYLOAD_MISSING");
  }
  const [kept] = await home.ask((outbox) => outbox.keep([copyOf(flux, file, partition.name)]));
  const isThere =
    kept?.kind === "kept" || (kept?.kind === "sameArrival" && kept.first.id === flux.id);
  if (!isThere) {
    throw gatewayError(
      "INTERNAL_ERROR",
      {},
      new Error(`${flux.id} cannot be kept in ${home.name}`),
    );
  }
  const left = await partition.ask((outbox) => outbox.move(leave(flux.id, home.name, at)));
  if (left.kind === "moved") return undefined;
  if (left.kind !== "notMoved") {
    throw gatewayError(
      "INTERNAL_ERROR",
      {},
      new Error(`${flux.id} is gone from ${partition.name}`),
    );
  }
  if (isMovedAway(left.flux)) return undefined;
  // An operator gave it up, or released it, where it was: there it stays, and the copy is ended.
  await home.ask((outbox) => outbox.move(leave(flux.id, partition.name, at)));
  return left.flux;
}

function copyOf(flux: Flux, { bytes }: StoredFile, from: string): NewFlux {
  const { id, channel, fileName, sha256, origin, receivedAt } = flux;
  return {
    ...{ id, channel, fileName, bytes, sha256, origin, receivedAt },
    state: "quarantined",
    arrivalKey: `moved:${id}`,
    ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
    ...(flux.envelope === undefined ? {} : { envelope: flux.envelope }),
    ...(flux.lane === undefined ? {} : { lane: flux.lane }),
    ...(flux.reason === undefined ? {} : { reason: flux.reason }),
    ...(flux.remarks === undefined ? {} : { remarks: flux.remarks }),
    event: { name: "flux.quarantined", detail: { channel, fileName, [MOVED_FROM]: from } },
  };
}

/** Ends a copy of a flux that is to be found in another partition from now on. */
function leave(fluxId: string, partition: string, at: number): Move {
  return {
    fluxId,
    from: ["quarantined"],
    to: "discarded",
    at,
    reason: { code: MOVED_AWAY, text: errorText(MOVED_AWAY, { partition }) },
    event: { name: "flux.discarded", detail: { code: MOVED_AWAY, partition } },
  };
}
