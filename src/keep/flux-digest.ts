/**
 * One number for all that a store knows of a flux, so that two stores can be compared without holding
 * either. Promise: two records have the same digest if and only if every fact, every journal entry,
 * every address and every byte of their files is the same, whatever order a store gives keys in.
 */
import { createHash } from "node:crypto";
import { sha256Of } from "./identity.ts";
import type { FluxRecord } from "./store-transfer.ts";

/** SHA-256, hexadecimal. */
export function digestOf(record: FluxRecord): string {
  const { files, arrivals, ...facts } = record;
  const named = {
    ...facts,
    arrivals: arrivals.toSorted((a, b) => compare(a.key, b.key)),
    files: files
      .map(({ role, name, bytes }) => ({ role, name, sha256: sha256Of(bytes) }))
      .sort((a, b) => compare(a.role, b.role)),
  };
  return createHash("sha256").update(canonical(named)).digest("hex");
}

/** True when the file as received is there and is what was received; or was erased, as it may be. */
export function isOriginalIntact({ flux, files }: FluxRecord): boolean {
  if (flux.erasedAt !== undefined) return files.length === 0;
  const original = files.find(({ role }) => role === "original");
  return original !== undefined && sha256Of(original.bytes) === flux.sha256;
}

/** JSON with its keys sorted and nothing undefined. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, held]) => held !== undefined)
    .sort(([a], [b]) => compare(a, b))
    .map(([key, held]) => `${JSON.stringify(key)}:${canonical(held)}`);
  return `{${entries.join(",")}}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
