/**
 * The shapes of the interface, as JSON Schema (OpenAPI 3.1). Every answer of the tests is compared
 * with them: nothing is answered that is not here.
 */
import { ERRORS } from "../../domain/errors.ts";
import { JOURNAL_EVENTS } from "../../domain/events.ts";
import { FLUX_STATES } from "../../domain/flux-state.ts";
import { CHANNELS } from "../../domain/flux.ts";
import { WAITING_CODES } from "../../operate/why-waiting.ts";

/** A JSON Schema, as it is written. */
export type Schema = Readonly<Record<string, unknown>>;

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object that has these properties and no other; `optional` ones may be absent. */
function closed(
  description: string,
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return {
    type: "object",
    description,
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

const text = (description: string): Schema => ({ type: "string", description });
const time = (description: string): Schema => ({
  type: "string",
  format: "date-time",
  description,
});
const count = (description: string): Schema => ({ type: "integer", minimum: 0, description });
const list = (items: Schema, description: string): Schema => ({
  type: "array",
  items,
  description,
});
const path = { type: "string", format: "uri-reference" };

export const FLUX_EXAMPLE = "01JQ7Z5W9M4T2X8C6V0B3N1KHD";

const fluxId: Schema = {
  type: "string",
  pattern: "^[0-9A-HJKMNP-TV-Z]{26}$",
  description: "Identifiant du flux dans la passerelle.",
  examples: [FLUX_EXAMPLE],
};

const FLUX_PROPERTIES = {
  id: fluxId,
  state: { ...ref("State") },
  stateLabel: text("L'état en français."),
  waiting: { ...ref("Waiting") },
  channel: { type: "string", enum: CHANNELS, description: "Canal d'arrivée." },
  guichet: text("Guichet qui a envoyé le flux ; absent tant que l'expéditeur est inconnu."),
  fileName: text("Nom du fichier reçu, assaini."),
  kind: text("typeFichier : CRE, MOD, REN, RAD…"),
  numGuichet: text("numGuichet du fichier."),
  numUnique: text("numUnique du fichier ; absent d'une création."),
  refInterne: text("Référence de l'expéditeur."),
  sequence: { type: "integer", description: "Séquence portée par le nom du fichier." },
  sha256: { type: "string", pattern: "^[0-9a-f]{64}$", description: "Empreinte des octets reçus." },
  size: count("Taille du fichier reçu, en octets."),
  receivedAt: time("Heure de réception."),
  since: time("Heure d'arrivée dans l'état présent."),
  attempts: count("Appels du SNE faits pour ce flux."),
  nextAttemptAt: time("Heure du prochain essai."),
  repeats: count("Nombre de fois où le même fichier a été reçu à nouveau."),
  filesErasedAt: time(
    "Heure d'effacement de ses fichiers, leur durée de conservation étant passée.",
  ),
  reason: { ...ref("Reason") },
  verdict: { ...ref("Verdict") },
  remarks: list(ref("Control"), "Écarts au schéma relevés sur un flux transmis malgré tout."),
  origin: closed(
    "D'où vient le flux (exploitant seulement).",
    {
      from: text("Expéditeur vu par le canal."),
      messageId: text("Message-ID."),
      remoteAddress: text("Adresse réseau."),
    },
    ["messageId", "remoteAddress"],
  ),
  links: closed(
    "Adresses de ce qui se rapporte au flux.",
    { self: path, journal: path, acquittement: path, reponse: path, attestation: path },
    ["acquittement", "reponse", "attestation"],
  ),
} as const satisfies Record<string, Schema>;

const FLUX_OPTIONAL = [
  "waiting",
  "guichet",
  "kind",
  "numGuichet",
  "numUnique",
  "refInterne",
  "sequence",
  "nextAttemptAt",
  "filesErasedAt",
  "reason",
  "verdict",
  "remarks",
  "origin",
];

const judge = (...judges: string[]): Schema => ({ type: "string", enum: judges });
const verdict = (
  kind: string,
  more: Readonly<Record<string, Schema>>,
  optional: string[],
): Schema =>
  closed(
    `Verdict « ${kind} ».`,
    { kind: { const: kind }, at: time("Heure du verdict."), ...more },
    optional,
  );

/** Our XML said in JSON: a leaf is a text, `ligne` and `colonne` are numbers. */
const acquittementControl = closed(
  "Un contrôle.",
  {
    code: text("Code."),
    propriete: text("Champ en cause."),
    complement: list(
      closed("Une valeur.", { nom: text("Nom."), valeur: text("Valeur.") }, ["nom", "valeur"]),
      "Valeurs en cause.",
    ),
    message: text("Phrase."),
    ligne: { type: "integer" },
    colonne: { type: "integer" },
  },
  ["propriete", "complement", "ligne", "colonne"],
);

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  State: { type: "string", enum: FLUX_STATES, description: "État du flux (docs/lifecycle.md)." },
  Reason: closed("Pourquoi le flux est là.", {
    code: text("Code stable."),
    text: text("Phrase en français."),
  }),
  Waiting: closed(
    "Ce que le flux attend, et jusqu'à quand.",
    {
      code: { type: "string", enum: WAITING_CODES },
      text: text("Phrase en français."),
      until: time("Heure avant laquelle rien ne sera tenté."),
      behind: { ...fluxId, description: "Flux plus ancien de la même demande." },
    },
    ["until", "behind"],
  ),
  Control: closed(
    "Un contrôle : le code, le champ, ses valeurs, la phrase, l'endroit dans le fichier.",
    {
      code: text("CTRL_DEM_nnnn, ou un code de la passerelle (docs/errors.md)."),
      message: text("Phrase."),
      field: text("Champ en cause."),
      complements: { type: "object", additionalProperties: { type: "string" } },
      line: { type: "integer", minimum: 0 },
      column: { type: "integer", minimum: 0 },
    },
    ["field", "complements", "line", "column"],
  ),
  Verdict: {
    description: "La réponse : elle est due à l'expéditeur.",
    oneOf: [
      verdict(
        "accepted",
        {
          numeroUnique: text("Numéro unique."),
          by: judge("sne", "operator"),
          note: text("Note de l'exploitant (exploitant seulement)."),
        },
        ["note"],
      ),
      verdict(
        "refused",
        {
          by: judge("sne", "gateway", "operator"),
          controls: list(ref("Control"), "Contrôles."),
          doublons: list({ type: "string" }, "Numéros uniques des demandes qui ressemblent."),
        },
        [],
      ),
      verdict(
        "discarded",
        {
          by: judge("operator"),
          reason: text("Motif."),
          effectUnknown: { const: true, description: "Le SNE a peut-être enregistré le flux." },
        },
        ["effectUnknown"],
      ),
    ],
  },
  Flux: closed("Un flux, sans le contenu de la demande.", FLUX_PROPERTIES, FLUX_OPTIONAL),
  Depot: closed(
    "Accusé de dépôt : le flux est gardé sur disque. Ce n'est pas l'acquittement du SNE.",
    {
      ...FLUX_PROPERTIES,
      repeated: {
        type: "boolean",
        description: "Vrai si ce fichier avait déjà été reçu : le flux est le premier.",
      },
    },
    FLUX_OPTIONAL,
  ),
  Confirmation: closed(
    "Le flux dont le guichet a confirmé l'acquittement.",
    { ...FLUX_PROPERTIES, confirmedAt: time("Première confirmation.") },
    FLUX_OPTIONAL,
  ),
  FluxPage: closed(
    "Une page de flux.",
    {
      fluxes: list(ref("Flux"), "Du plus ancien au plus récent, sauf autre ordre demandé."),
      next: text("À redonner dans « after » ; absent de la dernière page."),
      links: closed("Adresses.", { self: path, next: path }, ["next"]),
    },
    ["next"],
  ),
  JournalEntry: closed("Un événement de la vie du flux.", {
    at: time("Heure."),
    name: { type: "string", enum: JOURNAL_EVENTS },
    label: text("L'événement en français."),
    detail: {
      type: "object",
      additionalProperties: { type: ["string", "number", "boolean"] },
    },
  }),
  Journal: closed("Tout ce qui est arrivé au flux, dans l'ordre.", {
    fluxId,
    journal: list(ref("JournalEntry"), "Événements."),
    links: closed("Adresses.", { self: path, flux: path }),
  }),
  AcquittementJson: closed("L'acquittement XML (schemas/acquittement.xsd), dit en JSON.", {
    acquittement: closed(
      "Acquittement.",
      {
        version: { const: "1" },
        flux: closed(
          "De quel flux il s'agit.",
          {
            identifiant: fluxId,
            guichet: text("Guichet."),
            typeFichier: text("Type de fichier."),
            nomFichier: text("Nom du fichier."),
            refInterne: text("Référence de l'expéditeur."),
            numUnique: text("Numéro unique du fichier reçu."),
            empreinteSha256: text("Empreinte."),
            recuLe: time("Réception."),
            canal: text("Canal."),
          },
          ["typeFichier", "nomFichier", "refInterne", "numUnique"],
        ),
        resultat: {
          oneOf: [
            closed("Accepté.", {
              accepte: closed(
                "Accepté.",
                {
                  numUnique: text("Numéro unique."),
                  attestation: closed("Attestation.", { nom: text("Nom du fichier.") }),
                  prononceLe: time("Heure."),
                  par: judge("SNE", "EXPLOITANT"),
                },
                ["attestation"],
              ),
            }),
            closed("Refusé.", {
              refuse: closed(
                "Refusé.",
                {
                  par: judge("SNE", "PASSERELLE", "EXPLOITANT"),
                  prononceLe: time("Heure."),
                  controle: list(acquittementControl, "Contrôles."),
                  doublon: list(closed("Doublon.", { numUnique: text("Numéro.") }), "Doublons."),
                },
                ["doublon"],
              ),
            }),
            closed("Abandonné.", {
              abandonne: closed(
                "Abandonné.",
                {
                  effetInconnu: text("« true » : l'effet sur le SNE est inconnu."),
                  prononceLe: time("Heure."),
                  motif: text("Motif."),
                },
                ["effetInconnu"],
              ),
            }),
          ],
        },
        remarque: list(acquittementControl, "Écarts au schéma."),
        premierEnvoi: closed("Premier envoi.", {
          recuLe: time("Réception."),
          canal: text("Canal."),
        }),
      },
      ["remarque", "premierEnvoi"],
    ),
  }),
  PlainOperation: closed("Qui agit.", { operator: ref("Operator") }, ["operator"]),
  Operator: {
    type: "string",
    minLength: 1,
    maxLength: 64,
    description: "Nom de la personne, gardé au journal.",
    default: "exploitant",
  },
  Discard: closed(
    "Un abandon. L'expéditeur, s'il est connu, en reçoit le motif.",
    { reason: { type: "string", minLength: 1, maxLength: 500 }, operator: ref("Operator") },
    ["operator"],
  ),
  Resolution: closed(
    "Comment le doute est tranché, après vérification dans le SNE.",
    {
      as: {
        type: "string",
        enum: ["accepted", "refused", "resend", "failed"],
        description:
          "accepted : le SNE l'a enregistré. refused : il l'a refusé. resend : il n'a eu aucun effet. failed : à examiner.",
      },
      numeroUnique: {
        type: "string",
        description: "Demandé avec « accepted », et seulement avec lui.",
      },
      note: {
        type: "string",
        minLength: 1,
        maxLength: 500,
        description: "Demandée avec « refused » et « failed ».",
      },
      operator: ref("Operator"),
    },
    ["numeroUnique", "note", "operator"],
  ),
  Bilan: closed(
    "Reçus = acquittés + ouverts + en échec + abandonnés.",
    {
      received: count("Flux gardés depuis l'origine, comptés à part des états."),
      acknowledged: count("Acquittés."),
      open: count("Ouverts."),
      failed: count("En échec."),
      discarded: count("Abandonnés."),
      difference: { type: "integer", description: "0, ou quelque chose ne va pas." },
      balanced: { type: "boolean" },
      byState: closed(
        "Par état.",
        Object.fromEntries(FLUX_STATES.map((state) => [state, count(`Flux à l'état ${state}.`)])),
      ),
      repeats: count("Mêmes fichiers reçus à nouveau : ce ne sont pas des flux."),
      acquittementsOwed: count("Acquittements dus, non encore remis."),
      oldestKeptAt: time("Réception du plus ancien flux en attente."),
    },
    ["oldestKeptAt"],
  ),
  Liveness: closed("Le processus tourne.", { alive: { const: true }, version: text("Version.") }),
  Readiness: closed("La passerelle peut garder un flux.", {
    ready: { type: "boolean" },
    checks: list(
      closed("Une vérification.", {
        name: text("Nom."),
        ok: { type: "boolean" },
        detail: text("Détail."),
      }),
      "Vérifications.",
    ),
  }),
  Problem: closed(
    "Erreur (RFC 9457). Les programmes comparent « code », jamais les phrases.",
    {
      type: { type: "string", pattern: "^urn:passerelle-sne:error:[A-Z_]+$" },
      title: text("Titre."),
      status: { type: "integer" },
      code: { type: "string", enum: Object.keys(ERRORS) },
      detail: text("Ce qui s'est passé."),
      advice: text("Que faire."),
      instance: text("Adresse demandée."),
      controls: list(ref("Control"), "Pourquoi le fichier est refusé."),
      fields: list(
        closed("Un champ en cause.", { field: text("Nom."), message: text("Phrase.") }),
        "Champs en cause de la requête.",
      ),
      fluxId: { ...fluxId, description: "Flux en cause." },
      correlationId: text("À donner à l'exploitant : désigne la ligne du journal."),
    },
    ["controls", "fields", "fluxId", "correlationId"],
  ),
};
