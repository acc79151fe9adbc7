/**
 * Runs whatever has queued in one transaction: one fsync for many senders. Promises: an answer
 * leaves only after COMMIT; an operation that fails hurts no other; when the disk fails, nothing of
 * the group stays.
 */
import type { DatabaseSync } from "node:sqlite";
import type { StoreFault } from "./sqlite-errors.ts";
import { faultOf, isStoreFailure } from "./sqlite-errors.ts";
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
  const savepoint = db.prepare("SAVEPOINT operation");
  const release = db.prepare("RELEASE operation");
  const rollbackOperation = db.prepare("ROLLBACK TO operation");

  function perform(call: Call): unknown {
    const operation = operations[call.name] as (...args: unknown[]) => unknown;
    return operation(...call.args);
  }

  function runRead(call: Call): Answer {
    try {
      return { id: call.id, value: perform(call) };
    } catch (error) {
      return { id: call.id, fault: faultOf(error) };
    }
  }

  function runWrite(call: Call): Answer {
    savepoint.run();
    try {
      const value = perform(call);
      release.run();
      return { id: call.id, value };
    } catch (error) {
      // SQLite itself rolls the transaction back when the disk is full: there is none to go on with.
      if (isStoreFailure(error) || !db.isTransaction) throw error;
      rollbackOperation.run();
      release.run();
      return { id: call.id, fault: faultOf(error) };
    }
  }

  function commitTogether(calls: readonly Call[]): readonly Answer[] {
    try {
      begin.run();
      const answers = calls.map(runWrite);
      commit.run();
      return answers;
    } catch (error) {
      if (db.isTransaction) rollback.run();
      const fault = faultOf(error);
      // A large flux that does not fit must not keep a verdict of the SNE from being written.
      if (fault.code === "STORE_FULL" && calls.length > 1) {
        return calls.flatMap((call) => commitTogether([call]));
      }
      return calls.map(({ id }) => ({ id, fault }));
    }
  }

  return {
    run: (calls) => {
      const writes = calls.filter(({ name }) => !READS.has(name));
      const reads = calls.filter(({ name }) => READS.has(name));
      const written = writes.length === 0 ? [] : commitTogether(writes);
      // Reads come after the commit: they see only what is on disk.
      return [...written, ...reads.map(runRead)];
    },
  };
}
