/**
 * Bordereaux: the lists of names that a guichet says it has sent, by whatever channel. Kept so that
 * what never came can be told (capability E1); here they are kept and read, never judged.
 *
 * Promise: a bordereau is durable when `keep` resolves. Those of a guichet are numbered from 1 without
 * a gap: whoever matches them reads one after the other, with the number as its cursor. The same
 * bordereau sent again is the first one.
 */
import { createHash } from "node:crypto";
import type { Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";

export interface Bordereau {
  /** `BOR-<guichet>-<number>` */
  readonly id: string;
  readonly guichet: string;
  /** From 1, for each guichet. */
  readonly number: number;
  /** As its sender calls it. */
  readonly name?: string;
  /** Distinct, in the order given, as fluxes are named (`domain/file-name.ts`). */
  readonly fileNames: readonly string[];
  /** ms since the epoch */
  readonly receivedAt: number;
}

export interface KeptBordereau {
  readonly bordereau: Bordereau;
  /** It was there already. */
  readonly repeated: boolean;
}

export interface Bordereaux {
  /** Rejects with STORE_FULL or STORE_UNAVAILABLE: then it is not kept. */
  keep(given: {
    readonly guichet: string;
    readonly name?: string;
    readonly fileNames: readonly string[];
  }): Promise<KeptBordereau>;
  /** Undefined past the last. */
  find(guichet: string, number: number): Promise<Bordereau | undefined>;
}

export function makeBordereaux({
  outbox,
  clock,
}: {
  outbox: Pick<Outbox, "note" | "noted" | "noteIf">;
  clock: Clock;
}): Bordereaux {
  async function find(guichet: string, number: number): Promise<Bordereau | undefined> {
    const text = await outbox.noted(keyOf(guichet, number));
    return text === undefined ? undefined : readNoted(text, guichet, number);
  }

  /** Writes it under the first number that is free: two at once get two numbers. */
  async function write(bordereau: Omit<Bordereau, "id" | "number">): Promise<Bordereau> {
    const { guichet, name, fileNames, receivedAt } = bordereau;
    const text = JSON.stringify({ ...(name === undefined ? {} : { name }), fileNames, receivedAt });
    // Only a hint of where to look: what is at its number is the truth.
    const hint = Number((await outbox.noted(lastKeyOf(guichet))) ?? 0);
    for (let number = hint + 1; ; number += 1) {
      if (!(await outbox.noteIf(keyOf(guichet, number), undefined, text))) continue;
      await outbox.note(lastKeyOf(guichet), String(number));
      return { ...bordereau, id: idOf(guichet, number), number };
    }
  }

  return {
    find,
    keep: async ({ guichet, name, fileNames: given }) => {
      const fileNames = [...new Set(given)];
      const contentKey = contentKeyOf(guichet, name, fileNames);
      const first = await outbox.noted(contentKey);
      const known = first === undefined ? undefined : await find(guichet, Number(first));
      if (known !== undefined) return { bordereau: known, repeated: true };
      const bordereau = await write({
        guichet,
        ...(name === undefined ? {} : { name }),
        fileNames,
        receivedAt: clock.now(),
      });
      // Lost in a crash, it only lets the same list be kept twice, which changes no matching.
      await outbox.noteIf(contentKey, undefined, String(bordereau.number));
      return { bordereau, repeated: false };
    },
  };
}

function idOf(guichet: string, number: number): string {
  return `BOR-${guichet}-${number}`;
}

function keyOf(guichet: string, number: number): string {
  return `bordereau:${guichet}:${number}`;
}

function lastKeyOf(guichet: string): string {
  return `bordereau:${guichet}:last`;
}

function contentKeyOf(
  guichet: string,
  name: string | undefined,
  fileNames: readonly string[],
): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([name ?? "", fileNames]))
    .digest("hex");
  return `bordereau:${guichet}:content:${digest}`;
}

/** Reads what `write` noted. @throws Error when something else stands there */
function readNoted(text: string, guichet: string, number: number): Bordereau {
  const value: unknown = JSON.parse(text);
  const id = idOf(guichet, number);
  if (typeof value !== "object" || value === null || !("fileNames" in value)) {
    throw new Error(`${id} cannot be read`);
  }
  const { fileNames } = value;
  const receivedAt = "receivedAt" in value ? value.receivedAt : undefined;
  if (!Array.isArray(fileNames) || typeof receivedAt !== "number") {
    throw new Error(`${id} cannot be read`);
  }
  return {
    id,
    guichet,
    number,
    ...("name" in value && typeof value.name === "string" ? { name: value.name } : {}),
    fileNames: fileNames.map(String),
    receivedAt,
  };
}
