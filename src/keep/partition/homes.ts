/**
 * In which partition the fluxes of a guichet are kept: its home, where its lanes and the identities of
 * its contents are. Read once, when the partitions open.
 *
 * A guichet given another home by the settings does not move while something of it is still to be
 * forwarded in the former one: its lanes would be cut in two, and an update could overtake its create.
 * It stays, a warning says so, and it moves at the first start that finds nothing left to forward. Its
 * former partitions are remembered: what they already had of it is still seen as a repeat.
 */
import { gatewayError } from "../../domain/errors.ts";
import { LANE_HOLDING_STATES } from "../../domain/flux-state.ts";
import type { Log } from "../../runtime/log.ts";
import type { Partition } from "./partition.ts";

export interface Homes {
  /** Where strangers that name nobody are kept, and the notes of the gateway. */
  readonly base: Partition;
  homeOf(guichet: string | undefined): Partition;
  /** Other partitions that have fluxes of this guichet, from the time it lived there. */
  formersOf(guichet: string): readonly Partition[];
}

export async function readHomes({
  partitions,
  byGuichet,
  base: baseName,
  guichets,
  log,
}: {
  readonly partitions: readonly Partition[];
  readonly byGuichet: (guichet: string) => string;
  readonly base: string;
  /** The guichets that send: those whose past is looked for. */
  readonly guichets: readonly string[];
  readonly log: Log;
}): Promise<Homes> {
  const byName = new Map(partitions.map((partition) => [partition.name, partition]));
  function named(name: string): Partition {
    const partition = byName.get(name);
    if (partition !== undefined) return partition;
    throw gatewayError("INTERNAL_ERROR", {}, new Error(`no partition is named ${name}`));
  }
  const base = named(baseName);
  const homes = new Map<string, Partition>();
  const formers = new Map<string, readonly Partition[]>();

  async function settle(guichet: string): Promise<void> {
    const wanted = named(byGuichet(guichet));
    const seen = await Promise.all(
      partitions.map(async (partition) => ({ partition, has: await lookFor(guichet, partition) })),
    );
    const holders = seen.filter(({ has }) => has === "toForward").map(({ partition }) => partition);
    const home = holders.includes(wanted) ? wanted : (holders[0] ?? wanted);
    for (const held of holders.filter((one) => one !== wanted)) {
      log.warn("store.guichetNotMovedYet", {
        guichet,
        wanted: wanted.name,
        stillHeldBy: held.name,
        keptIn: home.name,
      });
    }
    homes.set(guichet, home);
    const past = seen.filter(({ partition, has }) => partition !== home && has !== "nothing");
    if (past.length > 0) {
      formers.set(
        guichet,
        past.map(({ partition }) => partition),
      );
    }
  }
  if (partitions.length > 1) for (const guichet of guichets) await settle(guichet);

  return {
    base,
    homeOf: (guichet) =>
      guichet === undefined ? base : (homes.get(guichet) ?? named(byGuichet(guichet))),
    formersOf: (guichet) => formers.get(guichet) ?? [],
  };
}

/** What a partition has of a guichet: fluxes that hold their lane, only others, or nothing. */
async function lookFor(
  guichet: string,
  partition: Partition,
): Promise<"toForward" | "past" | "nothing"> {
  const has = async (states: object): Promise<boolean> => {
    const page = await partition.ask((outbox) => outbox.list({ guichet, limit: 1, ...states }));
    return page.fluxes.length > 0;
  };
  if (!(await has({}))) return "nothing";
  return (await has({ states: LANE_HOLDING_STATES })) ? "toForward" : "past";
}
