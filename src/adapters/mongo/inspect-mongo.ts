/**
 * Looks at a database without opening a gateway on it: is it there, may we enter, is it a replica set,
 * how far is its clock? Promise: it writes nothing.
 */
import { GatewayError, messageOf } from "../../domain/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { StoreSeal } from "../../keep/store-seal.ts";
import { openConnection } from "./connect.ts";
import { sealOf } from "./seal.ts";

export type MongoInspection =
  | {
      readonly kind: "usable";
      readonly version: string;
      /** Members of the replica set; undefined behind a router. */
      readonly members: number | undefined;
      readonly fluxes: number;
      /** The database's clock less this machine's, ms. */
      readonly clockDifferenceMs: number;
    }
  /** It is being copied, or was, or is a copy that is not whole. */
  | { readonly kind: "sealed"; readonly seal: StoreSeal }
  | { readonly kind: "alone" }
  | { readonly kind: "unusable"; readonly detail: string };

/** @param uri - a MongoDB connection string */
export async function inspectMongo(
  uri: string,
  { clock }: { readonly clock: Clock },
): Promise<MongoInspection> {
  try {
    const connection = await openConnection(uri);
    try {
      const db = connection.getClient().db(connection.name);
      const hello = await db.command({ hello: 1 });
      const isRouter = hello["msg"] === "isdbgrid";
      if (hello["setName"] === undefined && !isRouter) return { kind: "alone" };
      // Needs the right to read: who may only connect learns it here.
      const fluxes = await db.collection("fluxes").estimatedDocumentCount();
      const seal = await sealOf({ notes: db.collection("notes") });
      if (seal !== undefined) return { kind: "sealed", seal };
      const { version } = await db.command({ buildInfo: 1 });
      const hosts: unknown = hello["hosts"];
      return {
        kind: "usable",
        version: String(version),
        members: Array.isArray(hosts) ? hosts.length : undefined,
        fluxes,
        clockDifferenceMs: Number(hello["localTime"]) - clock.now(),
      };
    } finally {
      await connection.close();
    }
  } catch (error) {
    const cause = error instanceof GatewayError ? (error.cause ?? error) : error;
    return { kind: "unusable", detail: messageOf(cause) };
  }
}
