/**
 * Writes a flux, and what is said of it, as the elements of our own service: in French, times in UTC,
 * what is not known left out. Shows a guichet neither the content of a demande nor what only operators
 * write. The order is that of `wsdl/passerelle.wsdl`.
 */
import type { FluxState } from "../../../domain/flux-state.ts";
import type { Flux } from "../../../domain/flux.ts";
import type { Judge, Verdict } from "../../../domain/outcome.ts";
import { STATE_LABELS } from "../../../operate/state-words.ts";
import type { Waiting } from "../../../operate/why-waiting.ts";
import { controlElement, element, instant } from "../elements.ts";
import type { SoapResult } from "../soap-message.ts";

/** `etat`: part of the contract of the service. */
export const STATE_CODES: Readonly<Record<FluxState, string>> = {
  kept: "GARDE",
  inTransit: "EN_TRANSIT",
  inDoubt: "EN_DOUTE",
  accepted: "ACCEPTE",
  refused: "REFUSE",
  acknowledged: "ACQUITTE",
  failed: "EN_ECHEC",
  quarantined: "EN_QUARANTAINE",
  discarded: "ABANDONNE",
};

const OUTCOMES: Readonly<Record<Verdict["kind"], string>> = {
  accepted: "ACCEPTE",
  refused: "REFUSE",
  discarded: "ABANDONNE",
};

const JUDGES: Readonly<Record<Judge, string>> = {
  sne: "SNE",
  gateway: "PASSERELLE",
  operator: "EXPLOITANT",
};

/** `Flux`. @param waiting - what it waits for, where that was looked for */
export function fluxElement(flux: Flux, waiting?: Waiting): SoapResult {
  const { envelope, verdict } = flux;
  const given = verdict?.kind === "accepted" ? verdict.numeroUnique : undefined;
  return {
    name: "flux",
    children: [
      ...element("identifiant", flux.id),
      ...element("etat", STATE_CODES[flux.state]),
      ...element("libelleEtat", STATE_LABELS[flux.state]),
      ...instant("depuisLe", flux.since),
      ...element("guichet", flux.guichet),
      ...element("nomFichier", flux.fileName),
      ...element("typeFichier", envelope?.kind),
      ...element("refInterne", envelope?.refInterne),
      ...element("numUnique", given ?? envelope?.numUnique),
      ...element("empreinteSha256", flux.sha256),
      ...element("taille", flux.size),
      ...element("canal", flux.channel),
      ...instant("recuLe", flux.receivedAt),
      ...element("envoisRepetes", flux.repeats),
      ...element("appelsSne", flux.attempts),
      ...(waiting === undefined ? [] : [waitingElement(waiting)]),
      ...(flux.reason === undefined
        ? []
        : [
            {
              name: "motif",
              children: [
                ...element("code", flux.reason.code),
                ...element("texte", flux.reason.text),
              ],
            },
          ]),
      ...(verdict === undefined ? [] : [verdictElement(verdict)]),
      ...(flux.remarks ?? []).map((control) => controlElement("remarque", control)),
    ],
  };
}

function waitingElement({ code, text, until, behind }: Waiting): SoapResult {
  return {
    name: "attente",
    children: [
      ...element("code", code),
      ...element("texte", text),
      ...instant("prochainEssai", until),
      ...element("fluxPrecedent", behind),
    ],
  };
}

function verdictElement(verdict: Verdict): SoapResult {
  return {
    name: "resultat",
    children: [
      ...element("issue", OUTCOMES[verdict.kind]),
      ...element("prononcePar", JUDGES[verdict.by]),
      ...instant("prononceLe", verdict.at),
      ...element("numUnique", verdict.kind === "accepted" ? verdict.numeroUnique : undefined),
      ...(verdict.kind === "refused"
        ? [
            ...verdict.controls.map((control) => controlElement("controle", control)),
            ...verdict.doublons.flatMap((numUnique) => element("doublon", numUnique)),
          ]
        : []),
    ],
  };
}
