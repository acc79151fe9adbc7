/** Says states and events in French, for the people who read the answers of the interface. */
import type { JournalEventName } from "../domain/events.ts";
import type { FluxState } from "../domain/flux-state.ts";

export const STATE_LABELS: Readonly<Record<FluxState, string>> = {
  kept: "Gardé, en attente de transmission au SNE",
  inTransit: "En transit : le SNE est interrogé",
  inDoubt: "En doute : la réponse du SNE n'a pas été lue",
  accepted: "Accepté, acquittement à remettre",
  refused: "Refusé, acquittement à remettre",
  acknowledged: "Acquitté : l'expéditeur a reçu la réponse",
  failed: "En échec : un exploitant doit décider",
  quarantined: "En quarantaine : expéditeur inconnu ou non habilité",
  discarded: "Abandonné par un exploitant",
};

export const EVENT_LABELS: Readonly<Record<JournalEventName, string>> = {
  "flux.kept": "Reçu et gardé",
  "flux.refusedAtArrival": "Refusé à l'arrivée",
  "flux.quarantined": "Mis en quarantaine",
  "flux.receivedAgain": "Le même fichier a été reçu à nouveau",
  "flux.claimed": "Pris pour être transmis au SNE",
  "flux.accepted": "Accepté par le SNE",
  "flux.refused": "Refusé par le SNE",
  "flux.postponed": "Transmission remise à plus tard",
  "flux.failed": "Transmission en échec",
  "flux.putInDoubt": "Mis en doute : l'effet de l'appel est inconnu",
  "flux.resolved": "Doute tranché par un exploitant",
  "flux.resubmitted": "Resoumis par un exploitant",
  "flux.released": "Sorti de quarantaine par un exploitant",
  "flux.discarded": "Abandonné par un exploitant",
  "acquittement.delivered": "Acquittement remis",
  "acquittement.postponed": "Remise de l'acquittement reportée",
  "acquittement.collected": "Acquittement retiré par le guichet",
  "acquittement.confirmed": "Réception de l'acquittement confirmée par le guichet",
  "flux.filesErased": "Fichiers effacés, leur durée de conservation étant passée",
};
