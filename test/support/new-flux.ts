/** Makes fluxes about to be kept, for tests: complete, all different, each part replaceable. */
import { randomBytes, randomUUID } from "node:crypto";
import { makeFluxId } from "../../src/domain/flux-id.ts";
import { identityOf, sha256Of } from "../../src/keep/identity.ts";
import type { ClaimRequest, NewFlux } from "../../src/keep/outbox.ts";

/** A working day at noon, ms since the epoch: when tests begin. */
export const NOON = Date.UTC(2024, 0, 15, 12);

export const MINUTE = 60_000;

/** What every new flux has. */
function base(parts: Partial<NewFlux>): NewFlux {
  const { receivedAt = NOON } = parts;
  const text = `<interfaceNuu>${randomUUID()}</interfaceNuu>`;
  const bytes = parts.bytes ?? new TextEncoder().encode(text);
  return {
    id: makeFluxId(receivedAt, randomBytes),
    state: "kept",
    channel: "mail",
    fileName: "DEM75001-202401151200-000001.xml",
    bytes,
    sha256: sha256Of(bytes),
    origin: { from: "logiciel@bailleur.example" },
    receivedAt,
    event: { name: "flux.kept", detail: { channel: "mail" } },
  };
}

/** A flux of guichet 75001, come by mail, that waits for nobody. */
export function newFlux(parts: Partial<NewFlux> = {}): NewFlux {
  const made = base(parts);
  const { guichet = "75001", sha256 = made.sha256 } = parts;
  return {
    ...made,
    guichet,
    envelope: { kind: "CRE", numGuichet: guichet },
    identity: identityOf(guichet, sha256),
    ...parts,
  };
}

/** A flux refused at arrival: its acquittement is owed at once. */
export function newRefusedFlux(parts: Partial<NewFlux> = {}): NewFlux {
  return newFlux({
    state: "refused",
    verdict: {
      kind: "refused",
      controls: [{ code: "NOT_XML", message: "Le fichier n'est pas un document XML lisible." }],
      doublons: [],
      by: "gateway",
      at: parts.receivedAt ?? NOON,
    },
    event: { name: "flux.refusedAtArrival", detail: { code: "NOT_XML" } },
    ...parts,
  });
}

/** A flux of an unknown sender: no guichet, no identity, nobody to tell. */
export function newQuarantinedFlux(parts: Partial<NewFlux> = {}): NewFlux {
  return {
    ...base(parts),
    state: "quarantined",
    event: { name: "flux.quarantined", detail: { from: "inconnu@example.org" } },
    ...parts,
  };
}

/** A claim of everything that is due. */
export function claimAt(now: number, parts: Partial<ClaimRequest> = {}): ClaimRequest {
  return { owner: "gateway-1", now, leaseMs: MINUTE, max: 1_000, ...parts };
}
