/**
 * The seal of a store that is being copied, or was. Promise: of a store and its copy, at most one is
 * ever without a seal while both hold the same live fluxes, and a sealed store opens to no gateway;
 * so no two gateways can call the SNE for one flux (`docs/decisions/0014-store-copy.md`).
 */
import type { GatewayError } from "../domain/errors.ts";
import { gatewayError } from "../domain/errors.ts";

/** The note that holds the seal. Notes of this prefix belong to one store and are never copied. */
export const SEAL_NOTE = "store.copy";
export const OWN_NOTES = "store.";
/** Names the store itself, for ever. */
export const STORE_ID_NOTE = "store.id";
/** On a copy in service: the name of the copy that made it. */
export const COPIED_NOTE = "store.copiedBy";

export type StoreSeal =
  /** What it holds is being copied, or was: its fluxes live elsewhere now. */
  | {
      readonly kind: "source";
      readonly phase: "copying" | "moved";
      /** The same on both ends of one copy. */
      readonly copyId: string;
      /** The other end, as people may see it: no password. */
      readonly peer: string;
      readonly at: number;
    }
  /** A copy that is not whole, or not verified; or one that is being erased. */
  | {
      readonly kind: "target";
      readonly phase: "filling" | "abandoned";
      readonly copyId: string;
      readonly peer: string;
      /** The store it comes from (`STORE_ID_NOTE`). */
      readonly sourceId: string;
      readonly at: number;
    };

export function sealText(seal: StoreSeal): string {
  return JSON.stringify(seal);
}

/** @throws STORE_MOVED when a note is there that cannot be read: it is no reason to open the store */
export function readSeal(text: string | undefined): StoreSeal | undefined {
  if (text === undefined) return undefined;
  const seal = parse(text);
  if (seal === undefined) {
    throw gatewayError("STORE_MOVED", { detail: "son scellé est illisible" });
  }
  return seal;
}

function parse(text: string): StoreSeal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, phase, copyId, peer, sourceId, at }: Record<string, unknown> = { ...value };
  if (typeof copyId !== "string" || typeof peer !== "string" || typeof at !== "number") {
    return undefined;
  }
  if (kind === "source" && (phase === "copying" || phase === "moved")) {
    return { kind, phase, copyId, peer, at };
  }
  const isTarget = kind === "target" && (phase === "filling" || phase === "abandoned");
  return isTarget && typeof sourceId === "string"
    ? { kind, phase, copyId, peer, sourceId, at }
    : undefined;
}

/** Why a gateway may not open a sealed store, and the way on. STORE_MOVED or STORE_INCOMPLETE. */
export function sealError(seal: StoreSeal, place: string): GatewayError {
  if (seal.kind === "target") {
    const command = `passerelle store copy ${seal.peer} ${place}`;
    const detail =
      seal.phase === "filling"
        ? `sa copie depuis ${seal.peer} n'est pas achevée ; reprenez-la : ${command}`
        : `la copie depuis ${seal.peer} est abandonnée ; achevez de l'effacer : ${command} --abandon`;
    return gatewayError("STORE_INCOMPLETE", { detail });
  }
  const command = `passerelle store copy ${place} ${seal.peer}`;
  const detail =
    seal.phase === "copying"
      ? `sa copie vers ${seal.peer} n'est pas achevée ; reprenez-la : ${command} ; ou renoncez-y : la même commande avec --abandon`
      : `ses flux sont désormais dans ${seal.peer} ; si cette base se dit encore inachevée : ${command}`;
  return gatewayError("STORE_MOVED", { detail });
}
