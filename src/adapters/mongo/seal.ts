/**
 * The seal of a database (`keep/store-seal.ts`) and its fence. Promise: once the fence stands, the
 * database itself refuses every flux, move, loan, note, number and pause, whoever asks: a gateway that
 * was frozen for an hour too, when it wakes. It is a validator that nothing satisfies; the server waits
 * for the transactions in hand before it stands.
 */
import { mongo } from "mongoose";
import { gatewayError } from "../../domain/errors.ts";
import { readSeal, SEAL_NOTE, sealError, type StoreSeal } from "../../keep/store-seal.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Collections } from "./documents.ts";

const FENCED: readonly (keyof Collections)[] = [
  "fluxes",
  "deliveries",
  "notes",
  "sequences",
  "pauses",
];
/** https://github.com/mongodb/mongo/blob/r6.0.5/src/mongo/base/error_codes.yml */
const UNAUTHORIZED = 13;
const NAMESPACE_EXISTS = 48;
const MAX_TIME_EXPIRED = 50;
/** How long one attempt waits for transactions in hand, ms: less than a silent connection is kept. */
const ATTEMPT_MS = 5_000;
/** How long in all, ms: the server ends by itself a transaction of more than 60 s. */
const FENCE_WITHIN_MS = 120_000;

export async function sealOf({
  notes,
}: Pick<Collections, "notes">): Promise<StoreSeal | undefined> {
  return readSeal((await notes.findOne({ _id: SEAL_NOTE }))?.value);
}

/** @throws STORE_MOVED, STORE_INCOMPLETE */
export async function refuseSealed(collections: Collections, place: string): Promise<void> {
  const seal = await sealOf(collections);
  if (seal !== undefined) throw sealError(seal, place);
}

export async function raiseFence(db: mongo.Db, clock: Clock): Promise<void> {
  await onEach(db, clock, { validator: { passerelleSealed: true }, validationLevel: "strict" });
}

export async function lowerFence(db: mongo.Db, clock: Clock): Promise<void> {
  await onEach(db, clock, { validator: {} });
}

async function onEach(db: mongo.Db, clock: Clock, change: object): Promise<void> {
  const until = clock.now() + FENCE_WITHIN_MS;
  for (const collMod of FENCED) {
    try {
      await db.createCollection(collMod);
    } catch (error) {
      if (codeOf(error) !== NAMESPACE_EXISTS) throw error;
    }
    for (;;) {
      try {
        await db.command({ collMod, ...change, maxTimeMS: ATTEMPT_MS });
        break;
      } catch (error) {
        if (codeOf(error) !== MAX_TIME_EXPIRED || clock.now() >= until) throw error;
      }
    }
  }
}

/** A copy asks more of its account than a gateway: said so in place of the server's long words. */
export function withRights(place: string): (error: unknown) => never {
  return (error) => {
    if (codeOf(error) !== UNAUTHORIZED) throw error;
    const detail = `le compte donné pour ${place} doit avoir les rôles readWrite et dbAdmin sur cette base, le temps de la copie`;
    throw gatewayError("STORE_COPY_REFUSED", { detail });
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof mongo.MongoServerError ? error.code : undefined;
}
