/**
 * Small durable values shared by the gateways: notes and cursors, sequences, roles, pauses. Promise:
 * each change is one conditional write of one document, on the disk of a majority.
 */
import type { Outbox, Pause, PauseScope } from "../../keep/outbox.ts";
import type { Collections } from "./documents.ts";
import { isDuplicateKey } from "./mongo-errors.ts";
import type { StoreTime } from "./store-time.ts";

export type Notes = Pick<
  Outbox,
  "note" | "noted" | "noteIf" | "next" | "pause" | "resume" | "pauses" | "holdRole" | "leaveRole"
>;

export function makeNotes(
  { notes, sequences, roles, pauses }: Collections,
  time: StoreTime,
): Notes {
  /** Two that insert at once: the second finds the first's. */
  async function again<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return write();
    }
  }

  return {
    note: async (key, value) => {
      await again(() => notes.updateOne({ _id: key }, { $set: { value } }, { upsert: true }));
    },
    noted: async (key) => (await notes.findOne({ _id: key }))?.value,
    noteIf: async (key, expected, value) => {
      if (expected !== undefined) {
        const { matchedCount } = await notes.updateOne(
          { _id: key, value: expected },
          { $set: { value } },
        );
        return matchedCount === 1;
      }
      try {
        await notes.insertOne({ _id: key, value });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    next: async (sequence) => {
      const doc = await again(() =>
        sequences.findOneAndUpdate(
          { _id: sequence },
          { $inc: { last: 1 } },
          { upsert: true, returnDocument: "after" },
        ),
      );
      return doc?.last ?? 1;
    },

    pause: async (pause) => {
      const { scope, at, by, reason } = pause;
      await again(() =>
        pauses.updateOne(
          { _id: pauseId(scope) },
          { $set: { scope, at, by, reason } },
          { upsert: true },
        ),
      );
    },
    resume: async (scope) => {
      const { deletedCount } = await pauses.deleteOne({ _id: pauseId(scope) });
      return deletedCount === 1;
    },
    pauses: async () => {
      const found = await pauses.find({}).sort({ _id: 1 }).toArray();
      return found.map(({ scope, at, by, reason }): Pause => ({ scope, at, by, reason }));
    },

    holdRole: async (role, { owner, now, leaseMs }) => {
      const until = time.toStore(now + leaseMs);
      const free = { until: { $lte: time.toStore(now) } };
      const held = await again(async () => {
        const renewed = await roles.findOneAndUpdate(
          { _id: role, holder: owner },
          { $set: { until } },
          { returnDocument: "after" },
        );
        if (renewed !== null) return renewed;
        const taken = await roles.findOneAndUpdate(
          { _id: role, ...free },
          { $set: { holder: owner, until }, $inc: { term: 1 } },
          { returnDocument: "after" },
        );
        if (taken !== null) return taken;
        const other = await roles.findOne({ _id: role });
        if (other !== null) return other;
        await roles.insertOne({ _id: role, holder: owner, until, term: 1 });
        return { holder: owner, until, term: 1 };
      });
      return {
        held: held.holder === owner,
        holder: held.holder,
        until: time.toOwn(held.until),
        term: held.term,
      };
    },
    leaveRole: async (role, owner) => {
      // It stays, with its term, for the next to take at once.
      await roles.updateOne({ _id: role, holder: owner }, { $set: { until: 0 } });
    },
  };
}

/** The name of the pause of a scope. */
export function pauseId(scope: PauseScope): string {
  switch (scope.kind) {
    case "all":
      return "all";
    case "guichet":
      return `guichet:${scope.guichet}`;
    case "lane":
      return `lane:${scope.lane}`;
  }
}
