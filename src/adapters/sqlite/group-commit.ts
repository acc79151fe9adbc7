/**
 * Runs whatever has queued in one transaction: one fsync for many senders. Promises: an answer
 * leaves only after COMMIT; an operation that fails hurts no other; what is rejected has left nothing.
 *
 * When one operation fails, which is rare, all is rolled back and the group done again by halves,
 * until it stands alone. Savepoints would cost every operation a seventh more (measured on keeps of
 * 10 KB); and when the disk is full SQLite rolls back everything anyway, while a verdict of the SNE
 * may still fit where a large flux does not.
 */
import type { DatabaseSync } from "node:sqlite";
import type { StoreFault } from "./sqlite-errors.ts";
import { faultOf } from "./sqlite-errors.ts";
import type { Arguments, OperationName, Operations } from "./store-operations.ts";
import { READS } from "./store-operations.ts";

export type Call = {
  [N in OperationName]: { readonly id: number; readonly name: N; readonly args: Arguments<N> };
}[OperationName];

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: StoreFault };

export interface GroupCommit {
  run(calls: readonly Call[]): readonly Answer[];
}

export function makeGroupCommit(db: DatabaseSync, operations: Operations): GroupCommit {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");

  function perform(call: Call): unknown {
    const operation = operations[call.name] as (...args: unknown[]) => unknown;
    return operation(...call.args);
  }

  function answerRead(call: Call): Answer {
    try {
      return { id: call.id, value: perform(call) };
    } catch (error) {
      return { id: call.id, fault: faultOf(error) };
    }
  }

  function commitTogether(calls: readonly Call[]): readonly Answer[] {
    try {
      begin.run();
      const answers = calls.map((call) => ({ id: call.id, value: perform(call) }));
      commit.run();
      return answers;
    } catch (error) {
      // SQLite may have rolled back by itself, as when the disk is full.
      if (db.isTransaction) rollback.run();
      const fault = faultOf(error);
      if (calls.length === 1 || fault.code === "STORE_UNAVAILABLE") {
        return calls.map(({ id }) => ({ id, fault }));
      }
      const middle = Math.ceil(calls.length / 2);
      return [...commitTogether(calls.slice(0, middle)), ...commitTogether(calls.slice(middle))];
    }
  }

  return {
    run: (calls) => {
      const writes = calls.filter(({ name }) => !READS.has(name));
      const reads = calls.filter(({ name }) => READS.has(name));
      const written = writes.length === 0 ? [] : commitTogether(writes);
      // Reads come after the commit: they see only what is on disk.
      return [...written, ...reads.map(answerRead)];
    },
  };
}
