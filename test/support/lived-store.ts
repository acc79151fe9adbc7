/** A store in full life: fluxes in every state, lanes that wait, acquittements owed, small values. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { FluxState } from "../../src/domain/flux-state.ts";
import type { Flux } from "../../src/domain/flux.ts";
import { sha256Of } from "../../src/keep/identity.ts";
import { FILE_ROLES, type NewFlux, type Outbox } from "../../src/keep/outbox.ts";
import { moveTo } from "../contracts/outbox/journeys.ts";
import { claimAt, MINUTE, newFlux, newQuarantinedFlux, newRefusedFlux, NOON } from "./new-flux.ts";

const WALKS: readonly (readonly FluxState[])[] = [
  ["accepted"],
  ["accepted"],
  ["refused"],
  ["failed"],
  ["failed", "discarded"],
  ["inDoubt"],
  ["accepted", "acknowledged"],
  ["accepted", "acknowledged"],
  ["kept"],
];

/** Bytes of a file that MongoDB keeps as a large object. */
const LARGE = 300 * 1024;

/** @param count - fluxes; the store has nothing that is due */
export async function liveInStore(outbox: Outbox, count: number): Promise<void> {
  const mail = (n: number): NonNullable<NewFlux["returnTo"]> => ({
    ...{ channel: "mail", to: `bailleur${n % 7}@example.org` },
    ...{ subject: `Dépôt ${n}`, messageId: `<${n}@example.org>` },
  });
  const first = Array.from({ length: Math.ceil(count * 0.6) }, (_, n) =>
    newFlux({
      receivedAt: NOON + n,
      returnTo: n % 5 === 0 ? { channel: "rest" } : mail(n),
      arrivalKey: `arrivée ${n} é`,
      ...(n % 3 === 0 ? {} : { lane: `refInterne:75001|R${n}` }),
      ...(n % 97 === 3 ? largeFile() : {}),
      ...(n % 4 === 0 ? { remarks: [{ code: "R1", message: "Champ inconnu." }] } : {}),
    }),
  );
  await inBatches(first, (batch) => outbox.keep(batch));

  // Walked to every state; one kept again is due long after.
  const claimed = await outbox.claim(claimAt(NOON + count, { max: count }));
  assert.equal(claimed.length, first.length);
  await inBatches(claimed, (batch, at) =>
    Promise.all(batch.map((one, n) => walk(outbox, one, WALKS[(at + n) % WALKS.length] ?? []))),
  );

  // Others wait behind them, or in lanes of their own.
  const second = Array.from({ length: Math.ceil(count * 0.3) }, (_, n) =>
    newFlux({
      receivedAt: NOON + count + n,
      returnTo: mail(n),
      ...(n % 4 === 0 ? {} : { lane: `refInterne:75001|R${n * 2}` }),
    }),
  );
  await inBatches(second, (batch) => outbox.keep(batch));
  const rest = count - first.length - second.length;
  const others = Array.from({ length: rest }, (_, n) =>
    (n % 2 === 0 ? newQuarantinedFlux : newRefusedFlux)({
      receivedAt: NOON + 2 * count + n,
      ...(n % 2 === 0 ? {} : { returnTo: mail(n) }),
    }),
  );
  await inBatches(others, (batch) => outbox.keep(batch));

  // Some came twice, by another mail.
  const again = first
    .filter((_, n) => n % 10 === 1)
    .map((flux, n) => ({
      ...flux,
      ...{ id: newFlux({ receivedAt: NOON + n }).id, arrivalKey: `encore ${n}` },
      returnTo: mail(n + 1),
    }));
  for (const batch of batches(again)) await outbox.keep(batch);

  // Some acquittements are delivered, some are not.
  const now = NOON + 3 * count;
  const owed = await outbox.claimDeliveries(claimAt(now, { max: Math.ceil(count / 5) }));
  for (const [n, { deliveryId, fence }] of owed.entries()) {
    await outbox.endDelivery(
      { deliveryId, fence },
      now,
      n % 2 === 0
        ? { kind: "delivered", detail: { to: "bailleur@example.org" } }
        : {
            ...{ kind: "postponed", dueAt: now + MINUTE },
            ...{ reason: { code: "MAIL_NOT_DELIVERED", text: "Plus tard." }, detail: {} },
          },
    );
  }
  await outbox.eraseFiles({ endedBefore: now, now: now + 1, max: Math.ceil(count / 25) });

  // A stranger let in late: an older one waits for a younger that was lent before it came.
  await lateComer(outbox, now);

  await outbox.note("breaker.state", JSON.stringify({ open: true, é: "à" }));
  await outbox.noteIf("imap.cursor", undefined, "42");
  for (let n = 0; n < 3; n += 1) await outbox.next("lots");
  await outbox.pause({ scope: { kind: "lane", lane: "L" }, at: now, by: "Zoé", reason: "Essai" });
  await outbox.pause({
    ...{ scope: { kind: "guichet", guichet: "13001" }, at: now + 1, by: "Zoé" },
    reason: "Déménagement",
  });
}

/** Keeps a stranger, then one of its lane that is lent and in doubt, then lets the stranger in. */
async function lateComer(outbox: Outbox, at: number): Promise<void> {
  const lane = "refInterne:75001|tardif";
  const stranger = newQuarantinedFlux({ receivedAt: at });
  const younger = newFlux({ receivedAt: at + 1, lane });
  await outbox.keep([stranger]);
  await outbox.keep([younger]);
  const lent = await outbox.claim(claimAt(at + 1, { max: 100_000 }));
  for (const one of lent) {
    const to = one.flux.id === younger.id ? "inDoubt" : "kept";
    await outbox.move({
      ...{ ...moveTo(to, one.flux, at + 2), from: ["inTransit"], fence: one.fence },
      dueAt: at + 3,
    });
  }
  const attribute = { guichet: "75001", lane, identity: `75001|${stranger.sha256}` };
  const released = await outbox.move({
    ...{ ...moveTo("kept", stranger, at + 3), from: ["quarantined"], attribute },
  });
  assert.equal(released.kind, "moved");
}

function largeFile(): Pick<NewFlux, "bytes" | "sha256"> {
  const bytes = new Uint8Array(randomBytes(LARGE));
  return { bytes, sha256: sha256Of(bytes) };
}

async function walk(
  outbox: Outbox,
  { flux, fence }: { readonly flux: Flux; readonly fence: number },
  path: readonly FluxState[],
): Promise<void> {
  let from: FluxState = "inTransit";
  for (const to of path) {
    const attestation = { name: "attestation.pdf", bytes: new Uint8Array(randomBytes(40)) };
    const answer = { name: "réponse.xml", bytes: new TextEncoder().encode(`<ok>${flux.id}</ok>`) };
    const result = await outbox.move({
      ...moveTo(to, flux, flux.receivedAt + 1),
      from: [from],
      ...(from === "inTransit" ? { fence } : {}),
      ...(to === "kept" ? { dueAt: NOON + 400 * 24 * 60 * MINUTE } : {}),
      ...(to === "accepted" ? { files: { answer, attestation } } : {}),
    });
    assert.equal(result.kind, "moved");
    from = to;
  }
}

/** All that the outbox port tells of a store, flux by flux. */
export async function portrait(outbox: Outbox): Promise<unknown> {
  const fluxes: unknown[] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await outbox.list({ limit: 500, ...(after === undefined ? {} : { after }) });
    for (const batch of batches(page.fluxes, 50)) {
      fluxes.push(
        ...(await Promise.all(
          batch.map(async (flux) => {
            const files = await Promise.all(FILE_ROLES.map((role) => outbox.file(flux.id, role)));
            return {
              flux,
              journal: await outbox.journal(flux.id),
              files: files.map((file) => file && { name: file.name, sha: sha256Of(file.bytes) }),
            };
          }),
        )),
      );
    }
    after = page.next;
    more = after !== undefined;
  }
  return {
    fluxes,
    counts: await outbox.counts(),
    load: await outbox.load(),
    pauses: (await outbox.pauses()).toSorted((a, b) => a.at - b.at),
    notes: [await outbox.noted("breaker.state"), await outbox.noted("imap.cursor")],
  };
}

function batches<T>(items: readonly T[], size = 200): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) =>
    items.slice(n * size, (n + 1) * size),
  );
}

async function inBatches<T>(
  items: readonly T[],
  work: (batch: readonly T[], at: number) => Promise<unknown>,
): Promise<void> {
  for (const [n, batch] of batches(items).entries()) await work(batch, n * 200);
}
