/**
 * One of several stores, with its name and its health. Promise: trouble of a partition is logged once
 * when it begins and once when it ends, and the error that a caller gets names the partition.
 */
import { GatewayError, gatewayError, messageOf } from "../../domain/errors.ts";
import type { Log } from "../../runtime/log.ts";
import type { Outbox } from "../outbox.ts";

export interface Partition {
  readonly name: string;
  /** Runs one operation on its store. @throws what the store throws, with the partition's name */
  ask<T>(operation: (outbox: Outbox) => Promise<T>): Promise<T>;
  /** Logs an error that nobody will be given; trouble was logged when it began. */
  doWithout(error: unknown): void;
  readonly outbox: Outbox;
}

/** What became of the same question put to several partitions. */
export interface Answers<T> {
  readonly given: readonly { readonly partition: Partition; readonly value: T }[];
  readonly failed: readonly { readonly partition: Partition; readonly error: unknown }[];
}

export function makePartition({
  name,
  outbox,
  log,
}: {
  readonly name: string;
  readonly outbox: Outbox;
  readonly log: Log;
}): Partition {
  let inTrouble = false;

  function troubled(error: unknown): unknown {
    if (!isTrouble(error)) return error;
    if (!inTrouble) {
      inTrouble = true;
      log.error("store.partitionFailed", { partition: name, error: messageOf(error) });
    }
    return error instanceof GatewayError
      ? gatewayError(error.code, { ...error.details, where: ` « ${name} »` }, error)
      : error;
  }

  return {
    name,
    outbox,
    ask: async (operation) => {
      let answer;
      try {
        answer = await operation(outbox);
      } catch (error) {
        throw troubled(error);
      }
      if (inTrouble) {
        inTrouble = false;
        log.info("store.partitionBack", { partition: name });
      }
      return answer;
    },
    doWithout: (error) => {
      if (isTrouble(error)) return;
      log.error("store.partitionAnswer", { partition: name, error: messageOf(error) });
    },
  };
}

/** Trouble of the store itself; another error of ours is about what was asked of it. */
function isTrouble(error: unknown): boolean {
  if (!(error instanceof GatewayError)) return true;
  return error.code === "STORE_UNAVAILABLE" || error.code === "STORE_FULL";
}

/** Asks all at once, and waits for all. */
export async function askEach<T>(
  partitions: readonly Partition[],
  operation: (outbox: Outbox, partition: Partition) => Promise<T>,
): Promise<Answers<T>> {
  const given: { partition: Partition; value: T }[] = [];
  const failed: { partition: Partition; error: unknown }[] = [];
  const settled = await Promise.allSettled(
    partitions.map((partition) => partition.ask((outbox) => operation(outbox, partition))),
  );
  partitions.forEach((partition, index) => {
    const result = settled[index];
    if (result?.status === "fulfilled") given.push({ partition, value: result.value });
    else failed.push({ partition, error: result?.reason });
  });
  return { given, failed };
}

/** Asks all at once; all must answer. @throws the first failure */
export async function askAll<T>(
  partitions: readonly Partition[],
  operation: (outbox: Outbox, partition: Partition) => Promise<T>,
): Promise<readonly T[]> {
  const { given, failed } = await askEach(partitions, operation);
  const [first] = failed;
  if (first !== undefined) throw first.error;
  return given.map(({ value }) => value);
}

/** Asks all at once; those that fail are done without, unless all do. @throws the first failure */
export async function askAny<T>(
  partitions: readonly Partition[],
  operation: (outbox: Outbox, partition: Partition) => Promise<T>,
): Promise<readonly T[]> {
  const { given, failed } = await askEach(partitions, operation);
  const [first] = failed;
  if (first !== undefined && given.length === 0) throw first.error;
  for (const { partition, error } of failed) partition.doWithout(error);
  return given.map(({ value }) => value);
}
