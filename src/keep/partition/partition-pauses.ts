/**
 * Pauses over several partitions: written in all of them, since each lends by itself, and so that a
 * guichet that is given another home stays paused there.
 *
 * Promise: a pause that was said to be made holds in every partition that could lend something of its
 * scope. One that could not be written everywhere is told as a failure, and holds where it was.
 */
import type { Pause, PauseScope } from "../outbox.ts";
import type { Homes } from "./homes.ts";
import { askAll, askAny, askEach, type Partition } from "./partition.ts";

export interface PartitionPauses {
  pause(pause: Pause): Promise<void>;
  resume(scope: PauseScope): Promise<boolean>;
  pauses(): Promise<readonly Pause[]>;
  /** Makes every pause of one partition hold in all: one may be new, or have been down. */
  spread(): Promise<void>;
}

export function makePartitionPauses({
  partitions,
  homes,
}: {
  readonly partitions: readonly Partition[];
  readonly homes: Homes;
}): PartitionPauses {
  /** The partitions that may lend something of a scope. */
  function lenders(scope: PauseScope): readonly Partition[] {
    return scope.kind === "guichet"
      ? [homes.homeOf(scope.guichet), ...homes.formersOf(scope.guichet)]
      : partitions;
  }

  async function writeAll<T>(
    scope: PauseScope,
    write: (partition: Partition) => Promise<T>,
  ): Promise<readonly T[]> {
    const { given, failed } = await askEach(partitions, (_, partition) => write(partition));
    const needed = lenders(scope);
    const missed = failed.find(({ partition }) => needed.includes(partition));
    if (missed !== undefined) throw missed.error;
    for (const { partition, error } of failed) partition.doWithout(error);
    return given.map(({ value }) => value);
  }

  async function pauses(): Promise<readonly Pause[]> {
    return union(await askAny(partitions, (outbox) => outbox.pauses()));
  }

  return {
    pauses,
    pause: async (pause) => {
      await writeAll(pause.scope, ({ outbox }) => outbox.pause(pause));
    },
    resume: async (scope) => {
      const had = await writeAll(scope, ({ outbox }) => outbox.resume(scope));
      return had.includes(true);
    },
    spread: async () => {
      const each = await askAll(partitions, async (outbox) => ({
        outbox,
        pauses: await outbox.pauses(),
      }));
      const all = union(each.map((one) => one.pauses));
      for (const { outbox, pauses: held } of each) {
        const keys = new Set(held.map(({ scope }) => keyOf(scope)));
        for (const pause of all) if (!keys.has(keyOf(pause.scope))) await outbox.pause(pause);
      }
    },
  };
}

/** Each scope once, as it was last paused; the oldest pause first. */
function union(lists: readonly (readonly Pause[])[]): readonly Pause[] {
  const latest = new Map<string, Pause>();
  for (const pause of lists.flat()) {
    const key = keyOf(pause.scope);
    const known = latest.get(key);
    if (known === undefined || known.at < pause.at) latest.set(key, pause);
  }
  return [...latest.values()].sort((a, b) => a.at - b.at);
}

function keyOf(scope: PauseScope): string {
  switch (scope.kind) {
    case "all":
      return "all";
    case "guichet":
      return `guichet:${scope.guichet}`;
    case "lane":
      return `lane:${scope.lane}`;
  }
}
