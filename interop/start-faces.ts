/**
 * Starts all that is called: the stand-in, the CXF target, the gateways with one or the other behind.
 * A face of ours that does not start is a failure; one of others' is something that cannot be had.
 */
import { API_KEY, GUICHET } from "../test/support/world.ts";
import { cxfPlan, startCxfFace } from "./cxf/cxf-face.ts";
import { downPlan } from "./down-plan.ts";
import type { Face } from "./face.ts";
import { startGatewayFace, startGatewayTlsFace, type Plan } from "./gateway-face.ts";
import type { Report } from "./report.ts";
import { startStandinFace } from "./standin-face.ts";
import { standinPlan } from "./standin-plan.ts";
import { ourWsdls, type WsdlSet } from "./wsdl-set.ts";

/** A gateway as the examples of `clients/` meet it. */
export interface GatewayOfExamples {
  readonly face: Face;
  readonly identity: Readonly<Record<string, string>>;
  readonly standinControlUrl: string;
}

export interface Faces {
  readonly all: readonly Face[];
  /** Absent when it cannot be had. */
  readonly target?: Face;
  readonly clear: GatewayOfExamples;
  readonly tls: GatewayOfExamples;
  /** In reverse order of start; how each ended is told to the report. */
  stop(): Promise<void>;
}

/** @throws Error when one of ours does not start; what was started is then stopped */
export async function startFaces(sets: readonly WsdlSet[], report: Report): Promise<Faces> {
  const all: Face[] = [];
  const behind: Face[] = [];
  const stop = async (): Promise<void> => {
    for (const face of [...behind, ...all].toReversed()) {
      try {
        await face.stop();
      } catch (error) {
        report.check(`${face.name} ends well`, String(error));
      }
    }
  };
  const kept = <T extends Face>(face: T, list = all): T => {
    list.push(face);
    return face;
  };

  try {
    const standin = kept(await startStandinFace());
    const { demandeLogement: standinUrl } = standin.urls;
    const gateway = kept(
      await startGatewayFace("gateway > stand-in", standinUrl, { plan: planOn(standinUrl) }),
    );
    // Nothing listens on port 1: the SNE is down.
    kept(
      await startGatewayFace("gateway, SNE down", "http://127.0.0.1:1/services/X/", {
        plan: downPlan,
        sets: ["ours"],
        settings: { GATEWAY_DROPIN_WAIT_MS: "300" },
      }),
    );

    // For a client that speaks mutual TLS only, in the forms it can read: one file, no binary
    // attestation. Through the gateway it reads the second all the same.
    const since = "latest";
    const settings = { since, attestation: "text" };
    kept(await startStandinFace({ settings, mutualTls: true }));
    const back = kept(await startStandinFace({ settings: { since } }), behind);
    const { demandeLogement: backUrl } = back.urls;
    const secure = kept(await startGatewayTlsFace("gateway > stand-in", backUrl, planOn(backUrl)));

    const target = await startTarget(sets, report);
    if (target !== undefined) {
      kept(target);
      kept(
        await startGatewayFace("gateway > CXF target", target.urls.demandeLogement, {
          plan: (folder, run) => Promise.resolve(cxfPlan(folder, run)),
          // A client of the ministry's on one side, a server of theirs on the other, us in between.
          sets: ["originals"],
        }),
      );
    }
    return {
      all,
      ...(target === undefined ? {} : { target }),
      clear: {
        face: gateway,
        identity: { PASSERELLE_GUICHET: GUICHET, PASSERELLE_CLE: API_KEY },
        standinControlUrl: standin.controlUrl,
      },
      tls: { face: secure, identity: {}, standinControlUrl: back.controlUrl },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startTarget(sets: readonly WsdlSet[], report: Report): Promise<Face | undefined> {
  try {
    return await startCxfFace(sets.at(-1) ?? ourWsdls());
  } catch (error) {
    report.absent("the CXF target", error);
    return undefined;
  }
}

/** A stand-in's own rules, met through the gateway, which refuses by itself what is no demande. */
function planOn(standinUrl: string): Plan {
  return (folder, run, guichet) =>
    standinPlan({ standinUrl, folder, run, guichet, unreadable: /« interfaceNuu » est attendu/ });
}
