/** Fills a store by its own port, in batches: fluxes as mail would have brought them, all waiting. */
import { randomBytes } from "node:crypto";
import { makeFluxId } from "../src/domain/flux-id.ts";
import { laneOf } from "../src/domain/flux.ts";
import { identityOf, sha256Of } from "../src/keep/identity.ts";
import type { NewFlux, Outbox } from "../src/keep/outbox.ts";
import { BENCH_GUICHET, BENCH_SENDER, makeSampleFiles } from "./sample-flows.ts";

const BATCH = 500;
/** Batches asked for at once: the store commits while the next is being made. */
const AHEAD = 4;

/** @param payload - whole 10 KB demandes, or a few bytes where only their number matters */
export async function fillStore(
  outbox: Outbox,
  count: number,
  payload: "demandes" | "small",
): Promise<void> {
  const file = makeSampleFiles();
  const make = (number: number): NewFlux => {
    if (payload === "small") return smallFlux(number);
    const { bytes, refInterne } = file(number);
    return newFlux(number, bytes, refInterne);
  };
  const underWay: Promise<unknown>[] = [];
  for (let first = 1; first <= count; first += BATCH) {
    const size = Math.min(BATCH, count - first + 1);
    underWay.push(outbox.keep(Array.from({ length: size }, (_, index) => make(first + index))));
    if (underWay.length >= AHEAD) await underWay.shift();
  }
  await Promise.all(underWay);
}

/** A flux of a few bytes, each in a lane of its own. */
export function smallFlux(number: number): NewFlux {
  return newFlux(number, Buffer.from(`<petit>${number}</petit>`), `R${number}`);
}

function newFlux(number: number, bytes: Uint8Array, refInterne: string): NewFlux {
  const receivedAt = Date.now();
  const envelope = {
    kind: "CRE",
    numGuichet: BENCH_GUICHET,
    refInterne,
    versionInterface: "02.01",
  };
  const lane = laneOf(envelope);
  const sha256 = sha256Of(bytes);
  const messageId = `<${number.toString().padStart(9, "0")}.backlog@bailleur.test>`;
  return {
    id: makeFluxId(receivedAt, randomBytes),
    state: "kept",
    channel: "mail",
    guichet: BENCH_GUICHET,
    envelope,
    ...(lane === undefined ? {} : { lane }),
    fileName: `DEM${BENCH_GUICHET}-202601150930-${String(number % 1_000_000).padStart(6, "0")}.xml`,
    bytes,
    sha256,
    origin: { from: BENCH_SENDER, messageId, remoteAddress: "127.0.0.1" },
    receivedAt,
    arrivalKey: `mail|${messageId}#0`,
    identity: identityOf(BENCH_GUICHET, sha256),
    returnTo: { channel: "mail", to: BENCH_SENDER, subject: "Envoi de demande", messageId },
    event: {
      name: "flux.kept",
      detail: { channel: "mail", size: bytes.byteLength, kind: "CRE" },
    },
  };
}
