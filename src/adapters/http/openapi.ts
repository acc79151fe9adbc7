/**
 * The contract of the HTTP interface, as an OpenAPI 3.1 document, written by hand and served at
 * `/api/v1/openapi.json`. A test walks every route and compares both ways, and holds every answer of
 * the tests to it.
 */
import { FLUX_STATES } from "../../domain/flux-state.ts";
import { ERRORS, type ErrorCode } from "../../domain/errors.ts";
import { FLUX_EXAMPLE, ref, SCHEMAS, type Schema } from "./openapi-schemas.ts";
import type { Route } from "./mount-routes.ts";
import { sendJson } from "./send-json.ts";

export type OpenapiDocument = Readonly<Record<string, unknown>>;

export function makeOpenapiRoutes({ version }: { version: string }): readonly Route[] {
  const document = openapiDocument(version);
  return [
    {
      method: "get",
      path: "/api/v1/openapi.json",
      handle: (_request, response) => sendJson(response, 200, document),
    },
  ];
}

export function openapiDocument(version: string): OpenapiDocument {
  return {
    openapi: "3.1.1",
    info: {
      title: "Passerelle SNE",
      version,
      summary: "Dépôt et suivi des flux vers le SNE.",
      description:
        "Tout flux accepté par la passerelle est acquitté par le SNE, ou visible comme ne l'étant " +
        "pas encore. Une réponse 201 est un accusé de dépôt : le flux est gardé sur disque. " +
        "L'acquittement, réponse du SNE, se retire plus tard à l'adresse « acquittement » du flux.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ cle: [] }, { codeEtCle: [] }, { certificat: [] }],
    tags: [
      { name: "Dépôt", description: "Envoyer un flux." },
      { name: "Suivi", description: "Savoir où en est un flux, et retirer son acquittement." },
      { name: "Exploitation", description: "Réservé à la clé d'exploitant." },
      { name: "Santé", description: "Sans authentification." },
    ],
    paths: PATHS,
    components: {
      securitySchemes: {
        cle: {
          type: "http",
          scheme: "bearer",
          description:
            "Clé d'un guichet (dépose et voit ses seuls flux) ou de l'exploitant (voit tout, sans " +
            "les fichiers du SNE). Si aucune clé d'exploitant n'est réglée, un programme de la " +
            "machine même, sans clé, a les droits de l'exploitant.",
        },
        codeEtCle: {
          type: "http",
          scheme: "basic",
          description: "Code du guichet, et sa clé pour mot de passe.",
        },
        certificat: {
          type: "mutualTLS",
          description: "Certificat client du guichet, là où la passerelle parle TLS.",
        },
      },
      schemas: SCHEMAS,
    },
  };
}

// --- answers -------------------------------------------------------------------------------------

function json(description: string, schema: string): Schema {
  return { description, content: { "application/json": { schema: ref(schema) } } };
}

function file(description: string, ...types: string[]): Schema {
  return {
    description,
    headers: {
      "Content-Disposition": { schema: { type: "string" }, description: "Nom du fichier." },
    },
    content: Object.fromEntries(types.map((type) => [type, {}])),
  };
}

/** The problems an operation may answer, grouped by their status. */
function problems(...codes: ErrorCode[]): Readonly<Record<string, Schema>> {
  const byStatus = Map.groupBy([...codes, ...EVERYWHERE], (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      String(status),
      {
        description: those.map((code) => `${code} : ${ERRORS[code].text}`).join("\n\n"),
        content: { "application/problem+json": { schema: ref("Problem") } },
        ...(status === 503 || status === 507
          ? {
              headers: { "Retry-After": { schema: { type: "integer" }, description: "Secondes." } },
            }
          : {}),
      },
    ]),
  );
}

const EVERYWHERE: readonly ErrorCode[] = [
  "INVALID_REQUEST",
  "INTERNAL_ERROR",
  "STOPPING",
  "STORE_UNAVAILABLE",
];
const CALLER: readonly ErrorCode[] = [
  "AUTHENTICATION_REQUIRED",
  "UNKNOWN_SENDER",
  "CERTIFICATE_NOT_VALID",
  "CREDENTIALS_DISAGREE",
];

// --- parameters ----------------------------------------------------------------------------------

const ID = {
  name: "id",
  in: "path",
  required: true,
  description: "Identifiant du flux.",
  schema: { type: "string" },
  example: FLUX_EXAMPLE,
};

function query(name: string, description: string, schema: Schema): Schema {
  return { name, in: "query", description, schema };
}

function header(name: string, description: string, schema: Schema, example: string): Schema {
  return { name, in: "header", description, schema, example };
}

const SAMPLE_FILE = '<?xml version="1.0" encoding="UTF-8"?>\n<interfaceNuu …>…</interfaceNuu>';

// --- operations ----------------------------------------------------------------------------------

function operatorOrder(
  operationId: string,
  summary: string,
  schema: string,
  isBodyRequired: boolean,
  example: unknown,
): Schema {
  return {
    post: {
      operationId,
      tags: ["Exploitation"],
      summary,
      parameters: [ID],
      requestBody: {
        required: isBodyRequired,
        content: { "application/json": { schema: ref(schema), example } },
      },
      responses: {
        "200": json("Fait ; le flux tel qu'il est à présent.", "Flux"),
        ...problems(
          ...CALLER,
          "NOT_PERMITTED",
          "NOT_FOUND",
          "MOVE_NOT_ALLOWED",
          "FILE_TOO_LARGE",
          "UNSUPPORTED_MEDIA_TYPE",
          "STORE_FULL",
          "QUEUE_FULL",
        ),
      },
    },
  };
}

function read(
  operationId: string,
  tag: string,
  summary: string,
  responses: Readonly<Record<string, Schema>>,
  more: Schema = {},
): Schema {
  return { get: { operationId, tags: [tag], summary, responses, ...more } };
}

const OPEN = { security: [] };

const DEPOSIT = {
  operationId: "deposerFlux",
  tags: ["Dépôt"],
  summary: "Dépose un flux : un fichier interfaceNuu par requête.",
  description:
    "Le fichier est le corps de la requête, ou l'unique fichier d'un formulaire. Avec une " +
    "Idempotency-Key, une requête répétée après une coupure rend le premier flux, sans second " +
    "effet. Sans elle, le même contenu est reconnu aussi. Un fichier qui ne peut pas être lu, ou " +
    "qui nomme un autre guichet, est refusé aussitôt et n'est pas gardé.",
  parameters: [
    header(
      "Idempotency-Key",
      "Nomme cet envoi, une fois pour toutes, pour ce guichet.",
      { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x20-\\x7e]+$" },
      "export-2026-03-31-000123",
    ),
    header(
      "Content-Disposition",
      "Nom du fichier.",
      { type: "string" },
      'attachment; filename="DEM12345-202603310800-000123.xml"',
    ),
    header(
      "X-File-Name",
      "Nom du fichier, à défaut de Content-Disposition.",
      { type: "string" },
      "flux.xml",
    ),
  ],
  requestBody: {
    required: true,
    content: {
      "application/xml": { example: SAMPLE_FILE },
      "text/xml": { example: SAMPLE_FILE },
      "multipart/form-data": {
        schema: {
          type: "object",
          properties: { fichier: { type: "string", contentMediaType: "application/xml" } },
        },
      },
    },
  },
  responses: {
    "201": {
      ...json("Gardé sur disque.", "Depot"),
      headers: { Location: { schema: { type: "string" }, description: "Adresse du flux." } },
    },
    "200": {
      ...json("Déjà reçu : voici le premier flux.", "Depot"),
      headers: {
        Location: { schema: { type: "string" }, description: "Adresse du flux." },
        "Idempotent-Replayed": {
          schema: { type: "string", enum: ["true"] },
          description: "Présent quand l'Idempotency-Key avait déjà servi pour ce fichier.",
        },
      },
    },
    ...problems(
      ...CALLER,
      "NOT_PERMITTED",
      "GUICHET_NOT_ALLOWED",
      "FILE_TOO_LARGE",
      "UNSUPPORTED_MEDIA_TYPE",
      "EMPTY_FILE",
      "NOT_XML",
      "WRONG_ENCODING",
      "UNSUPPORTED_ENCODING",
      "DOCTYPE_REFUSED",
      "TOO_DEEP",
      "WRONG_ROOT",
      "WRONG_NAMESPACE",
      "NO_TYPE_FICHIER",
      "NO_GUICHET",
      "INVALID_FIELD",
      "NO_ATTACHMENT",
      "SCHEMA_INVALID",
      "IDEMPOTENCY_CONFLICT",
      "STORE_FULL",
      "QUEUE_FULL",
    ),
  },
};

const date = { type: "string", examples: ["2026-03-31", "2026-03-31T08:00:00Z"] };

const PATHS = {
  "/api/v1/fluxes": {
    post: DEPOSIT,
    ...read(
      "listerFlux",
      "Suivi",
      "Liste des flux ; un guichet ne voit que les siens.",
      { "200": json("Une page.", "FluxPage"), ...problems(...CALLER, "NOT_PERMITTED") },
      {
        parameters: [
          query(
            "state",
            `États, répétés ou séparés par des virgules : ${FLUX_STATES.join(", ")}.`,
            { type: "string" },
          ),
          query("guichet", "Code d'un guichet.", { type: "string", maxLength: 5 }),
          query("numUnique", "Numéro unique porté par le fichier.", { type: "string" }),
          query("sha256", "Empreinte des octets du fichier.", { type: "string" }),
          query("receivedFrom", "Reçus à partir de cette date.", date),
          query("receivedBefore", "Reçus avant cette date.", date),
          query("order", "Ordre de réception.", {
            type: "string",
            enum: ["oldestFirst", "newestFirst"],
            default: "oldestFirst",
          }),
          query("limit", "Nombre de flux par page.", {
            type: "integer",
            minimum: 1,
            maximum: 500,
            default: 50,
          }),
          query("after", "Le « next » de la page précédente.", { type: "string" }),
        ],
      },
    ),
  },
  "/api/v1/fluxes/{id}": read(
    "lireFlux",
    "Suivi",
    "Où en est un flux, pourquoi, et ce qu'il attend.",
    { "200": json("Le flux.", "Flux"), ...problems(...CALLER, "NOT_FOUND") },
    { parameters: [ID] },
  ),
  "/api/v1/fluxes/{id}/journal": read(
    "lireJournal",
    "Suivi",
    "Tout ce qui est arrivé à un flux.",
    { "200": json("Le journal.", "Journal"), ...problems(...CALLER, "NOT_FOUND") },
    { parameters: [ID] },
  ),
  "/api/v1/fluxes/{id}/acquittement": read(
    "retirerAcquittement",
    "Suivi",
    "L'acquittement, en XML ou en JSON selon Accept.",
    {
      "200": {
        description: "L'acquittement.",
        content: {
          "application/xml": {},
          "text/xml": {},
          "application/json": { schema: ref("AcquittementJson") },
        },
      },
      ...problems(...CALLER, "NOT_FOUND", "NOT_YET", "NOT_ACCEPTABLE"),
    },
    {
      parameters: [ID],
      description:
        "Lu par un guichet qui retire lui-même ses acquittements, il fait passer le flux à l'état " +
        "acknowledged. Il peut être relu autant que nécessaire. HEAD ne le retire pas.",
    },
  ),
  "/api/v1/fluxes/{id}/acquittement/confirmation": {
    post: {
      operationId: "confirmerAcquittement",
      tags: ["Suivi"],
      summary: "Le guichet dit qu'il a bien reçu et enregistré l'acquittement.",
      description:
        "Écrit une seule fois au journal du flux, quel que soit le nombre d'appels. Un acquittement " +
        "à retirer par le guichet compte alors comme retiré. Aucun corps n'est attendu.",
      parameters: [ID],
      responses: {
        "200": json("Le flux, et la date de la première confirmation.", "Confirmation"),
        ...problems(...CALLER, "NOT_PERMITTED", "NOT_FOUND", "NOT_YET", "STORE_FULL"),
      },
    },
  },
  "/api/v1/fluxes/{id}/acquittement/reponse": read(
    "lireReponse",
    "Suivi",
    "Le fichier de réponse du SNE, octet pour octet.",
    {
      "200": file("Le fichier du SNE.", "application/xml"),
      ...problems(...CALLER, "NOT_PERMITTED", "NOT_FOUND", "NOT_YET", "FILES_ERASED"),
    },
    { parameters: [ID] },
  ),
  "/api/v1/fluxes/{id}/acquittement/attestation": read(
    "lireAttestation",
    "Suivi",
    "L'attestation du SNE, octet pour octet.",
    {
      "200": file("Le fichier du SNE.", "application/octet-stream"),
      ...problems(...CALLER, "NOT_PERMITTED", "NOT_FOUND", "NOT_YET", "FILES_ERASED"),
    },
    { parameters: [ID] },
  ),
  "/api/v1/fluxes/{id}/resolve": operatorOrder(
    "trancherDoute",
    "Tranche un doute, après vérification dans le SNE.",
    "Resolution",
    true,
    {
      as: "accepted",
      numeroUnique: "075021834567811111",
      note: "Vu dans le SNE.",
      operator: "C. Martin",
    },
  ),
  "/api/v1/fluxes/{id}/resubmit": operatorOrder(
    "resoumettre",
    "Remet un flux en échec dans la file.",
    "PlainOperation",
    false,
    { operator: "C. Martin" },
  ),
  "/api/v1/fluxes/{id}/release": operatorOrder(
    "sortirDeQuarantaine",
    "Sort un flux de quarantaine, au nom du guichet que nomme son fichier.",
    "PlainOperation",
    false,
    { operator: "C. Martin" },
  ),
  "/api/v1/fluxes/{id}/discard": operatorOrder(
    "abandonner",
    "Abandonne un flux ; son expéditeur en est averti.",
    "Discard",
    true,
    { reason: "Demande annulée par le guichet.", operator: "C. Martin" },
  ),
  "/api/v1/bilan": read("lireBilan", "Exploitation", "Rien n'est-il perdu ?", {
    "200": json("Le bilan.", "Bilan"),
    ...problems(...CALLER, "NOT_PERMITTED"),
  }),
  "/api/v1/openapi.json": read(
    "lireContrat",
    "Santé",
    "Ce document.",
    {
      "200": {
        description: "OpenAPI 3.1.",
        content: { "application/json": { schema: { type: "object" } } },
      },
      ...problems(),
    },
    OPEN,
  ),
  "/livez": read(
    "vivant",
    "Santé",
    "Le processus tourne.",
    { "200": json("Oui.", "Liveness"), ...problems() },
    OPEN,
  ),
  "/readyz": read(
    "pret",
    "Santé",
    "La passerelle peut garder un flux. Un SNE en panne ne l'en empêche pas.",
    { ...problems(), "200": json("Oui.", "Readiness"), "503": json("Non.", "Readiness") },
    OPEN,
  ),
  "/metrics": read(
    "mesures",
    "Santé",
    "Mesures pour Prometheus.",
    { "200": { description: "Texte.", content: { "text/plain": {} } }, ...problems() },
    OPEN,
  ),
};
