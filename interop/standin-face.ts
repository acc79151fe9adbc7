/** The stand-in SNE, with no gateway in between: whether it is a place where SNE clients work. */
import { runStandin } from "../src/standin/standin-main.ts";
import type { Face } from "./face.ts";
import { standinPlan } from "./standin-plan.ts";

export const GUICHET = "75A01";

export async function startStandinFace(): Promise<Face> {
  const standin = await runStandin({ quiet: true });
  return {
    name: "stand-in",
    alwaysMtom: true,
    urls: {
      demandeLogement: standin.url,
      rechercheDemande: standin.searchUrl,
      gestionPartageeEvt: standin.eventsUrl,
    },
    plan: (folder, run) => standinPlan({ standinUrl: standin.url, guichet: GUICHET, folder, run }),
    stop: () => standin.stop(),
  };
}
