/**
 * Every error code of the gateway, in one table: what it means, what the reader should do, and the
 * HTTP status that carries it. `docs/errors.md` is made from this table and a test compares them.
 * Tests and programs match codes, never texts.
 *
 * `told` says who reads the French sentence: the `sender` (acquittement, problem+json), the
 * `operator` (console, command line, logs), or both.
 */

interface ErrorRow {
  readonly status: number;
  readonly told: "sender" | "operator" | "both";
  /** French, shown as it is; `{name}` is replaced by the value of that detail. */
  readonly text: string;
  /** French: what to do. */
  readonly advice: string;
}

export const ERRORS = {
  // --- arrival: the file -------------------------------------------------------------------------
  EMPTY_FILE: {
    status: 422,
    told: "sender",
    text: "Le fichier reçu est vide.",
    advice: "Vérifiez l'export de votre logiciel, puis renvoyez le fichier.",
  },
  FILE_TOO_LARGE: {
    status: 413,
    told: "sender",
    text: "Le fichier dépasse la taille permise ({limit} octets).",
    advice: "Envoyez une demande par fichier, ou demandez à l'exploitant de relever la limite.",
  },
  NOT_XML: {
    status: 422,
    told: "sender",
    text: "Le fichier n'est pas un document XML lisible : {detail}.",
    advice: "Corrigez le fichier à l'endroit indiqué, puis renvoyez-le.",
  },
  WRONG_ENCODING: {
    status: 422,
    told: "sender",
    text: "Le fichier n'est pas écrit dans l'encodage qu'il déclare ({encoding}).",
    advice: "Enregistrez le fichier dans l'encodage déclaré, en UTF-8 de préférence.",
  },
  UNSUPPORTED_ENCODING: {
    status: 422,
    told: "sender",
    text: "L'encodage déclaré ({encoding}) n'est pas accepté.",
    advice: "Utilisez UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 ou Windows-1252.",
  },
  DOCTYPE_REFUSED: {
    status: 422,
    told: "sender",
    text: "Le fichier contient une déclaration DOCTYPE, qui n'est pas acceptée.",
    advice: "Retirez la déclaration DOCTYPE et les entités qu'elle définit.",
  },
  TOO_DEEP: {
    status: 422,
    told: "sender",
    text: "Le fichier imbrique trop d'éléments ({limit} niveaux au plus).",
    advice: "Vérifiez l'export de votre logiciel.",
  },
  WRONG_ROOT: {
    status: 422,
    told: "sender",
    text: "L'élément racine est « {found} » ; « interfaceNuu » est attendu.",
    advice: "Envoyez un fichier interfaceNuu conforme au cahier des interfaces du SNE.",
  },
  WRONG_NAMESPACE: {
    status: 422,
    told: "sender",
    text: "L'espace de noms de la racine est « {found} » ; « http://nuu.application.i2/ » est attendu.",
    advice: "Corrigez l'attribut xmlns de l'élément interfaceNuu.",
  },
  NO_TYPE_FICHIER: {
    status: 422,
    told: "sender",
    text: "L'élément entete/typeFichier est absent ou illisible.",
    advice: "Indiquez le type de fichier : CRE, MOD, REN, RAD…",
  },
  NO_GUICHET: {
    status: 422,
    told: "sender",
    text: "L'élément demande/demandeLogement/numGuichet est absent ou illisible.",
    advice: "Indiquez le numéro du guichet enregistreur (cinq caractères au plus).",
  },
  INVALID_FIELD: {
    status: 422,
    told: "sender",
    text: "L'élément {field} n'a pas une forme acceptable.",
    advice: "Corrigez la valeur à l'endroit indiqué.",
  },
  NO_ATTACHMENT: {
    status: 422,
    told: "sender",
    text: "Le message ne porte aucun fichier XML en pièce jointe.",
    advice: "Joignez le fichier interfaceNuu au message, puis renvoyez-le.",
  },
  UNREADABLE_MAIL: {
    status: 422,
    told: "sender",
    text: "Le message n'a pas pu être lu en entier : {detail}.",
    advice:
      "Renvoyez le message ; s'il est tronqué à nouveau, vérifiez votre serveur de messagerie.",
  },
  SCHEMA_INVALID: {
    status: 422,
    told: "sender",
    text: "Le fichier n'est pas conforme au schéma interfaceNuu.",
    advice: "Corrigez les champs indiqués, puis renvoyez le fichier.",
  },

  // --- arrival: the SOAP message ------------------------------------------------------------------
  SOAP_UNREADABLE: {
    status: 400,
    told: "sender",
    text: "Le message SOAP n'est pas lisible : {detail}.",
    advice: "Corrigez le message à l'endroit indiqué ; voyez les exemples de clients.",
  },
  SOAP_VERSION_UNKNOWN: {
    status: 500,
    told: "sender",
    text: "L'enveloppe SOAP n'est d'aucune version servie ici ({found}).",
    advice: "Réglez votre client sur la version que décrit le WSDL du service.",
  },
  SOAP_HEADER_NOT_UNDERSTOOD: {
    status: 500,
    told: "sender",
    text: "L'en-tête SOAP {found} est marqué obligatoire et ce service ne le comprend pas.",
    advice:
      "Ôtez-le, ou son attribut mustUnderstand ; ni WS-Security ni WS-Addressing ne sont demandés.",
  },
  SOAP_OPERATION_UNKNOWN: {
    status: 400,
    told: "sender",
    text: "L'élément {found} n'appelle aucune opération de ce service ; attendu : {expected}.",
    advice: "Vérifiez l'adresse appelée et l'espace de noms de l'élément.",
  },
  SOAP_ACTION_UNDECIDED: {
    status: 400,
    told: "sender",
    text: "L'action SOAP ne dit pas quelle opération est appelée : {detail}. Attendu : {expected}.",
    advice:
      "Réglez l'action de votre client (soapAction du WSDL) sur l'opération voulue, elle seule.",
  },
  SOAP_PARAMETER_INVALID: {
    status: 400,
    told: "sender",
    text: "Le paramètre {field} n'est pas acceptable : {detail}.",
    advice: "Corrigez ce paramètre ; le WSDL du service en donne l'ordre et la forme.",
  },
  // --- arrival: the sender -----------------------------------------------------------------------
  UNKNOWN_SENDER: {
    status: 401,
    told: "both",
    text: "L'expéditeur n'est pas connu de la passerelle.",
    advice: "Faites déclarer cette adresse ou cette clé dans config/guichets.json.",
  },
  GUICHET_NOT_ALLOWED: {
    status: 403,
    told: "both",
    text: "Le fichier nomme le guichet {named}, pour lequel cet expéditeur n'est pas habilité.",
    advice: "Vérifiez numGuichet ; sinon faites habiliter l'expéditeur dans config/guichets.json.",
  },
  AUTHENTICATION_REQUIRED: {
    status: 401,
    told: "both",
    text: "Une authentification est demandée.",
    advice:
      "Joignez l'en-tête Authorization: Bearer suivi de votre clé, ou présentez votre certificat client.",
  },
  CERTIFICATE_NOT_VALID: {
    status: 401,
    told: "both",
    text: "Le certificat client présenté n'est pas valable à cette date.",
    advice: "Présentez le certificat renouvelé, et faites-le déclarer dans config/guichets.json.",
  },
  CREDENTIALS_DISAGREE: {
    status: 403,
    told: "both",
    text: "Le certificat client et la clé présentés ne sont pas ceux du même guichet.",
    advice: "Présentez le certificat et la clé d'un seul guichet, ou l'un des deux seulement.",
  },
  NOT_PERMITTED: {
    status: 403,
    told: "both",
    text: "Cette opération n'est pas permise avec cette clé.",
    advice: "Utilisez la clé d'exploitant, ou adressez-vous à l'exploitant.",
  },
  QUARANTINE_FULL: {
    status: 503,
    told: "both",
    text: "La quarantaine est pleine : les envois d'expéditeurs inconnus ne sont plus reçus.",
    advice: "Traitez la quarantaine : passerelle flux list --state quarantined.",
  },
  QUEUE_FULL: {
    status: 503,
    told: "both",
    text: "La file est pleine ({of} : {limit} {unit}) : le flux n'a pas été reçu.",
    advice:
      "Renvoyez plus tard. Exploitant : voyez pourquoi la file ne se vide pas (passerelle bilan), ou relevez GATEWAY_QUEUE_MAX_*.",
  },
  IDEMPOTENCY_CONFLICT: {
    status: 422,
    told: "sender",
    text: "Cette clé d'idempotence a déjà servi pour un autre fichier.",
    advice: "Utilisez une clé nouvelle pour chaque fichier.",
  },

  // --- requests ----------------------------------------------------------------------------------
  NOT_FOUND: {
    status: 404,
    told: "both",
    text: "Rien ne porte cet identifiant.",
    advice: "Vérifiez l'identifiant.",
  },
  NOT_YET: {
    status: 404,
    told: "sender",
    text: "Le SNE n'a pas encore répondu pour ce flux : il n'y a pas encore d'acquittement.",
    advice: "Interrogez à nouveau plus tard ; le flux est gardé et sera transmis.",
  },
  FLUX_DEFERRED: {
    status: 503,
    told: "sender",
    text: "Différé : le SNE n'a pas encore répondu. Le flux {fluxId} est gardé et lui sera transmis ; rien n'est perdu.",
    advice:
      "Renvoyez plus tard le même fichier sous le même nom : la réponse de ce flux vous sera rendue, sans second effet. Ou suivez-le par son identifiant.",
  },
  FLUX_IN_DOUBT: {
    status: 503,
    told: "sender",
    text: "En doute : le SNE a été appelé pour le flux {fluxId} et sa réponse n'a pas été lue. Un exploitant vérifie ce qu'il en est.",
    advice:
      "N'envoyez pas la même opération dans un autre fichier. Renvoyez plus tard le même : la réponse de ce flux vous sera rendue.",
  },
  FLUX_FAILED: {
    status: 503,
    told: "sender",
    text: "En échec : le flux {fluxId} n'a pas pu être transmis au SNE et attend un exploitant. Il est gardé.",
    advice: "Renvoyez plus tard le même fichier, ou adressez-vous à l'exploitant.",
  },
  FLUX_SETTLED: {
    status: 409,
    told: "sender",
    text: "Le sort du flux {fluxId} a été établi sans réponse du SNE à rendre : {outcome}.",
    advice: "Retirez son acquittement : il dit ce qui a été établi, et par qui.",
  },
  SNE_SUSPENDED: {
    status: 503,
    told: "sender",
    text: "Le SNE ne répond pas : les questions lui sont suspendues.",
    advice: "Posez la question plus tard. Les flux déposés, eux, sont gardés et seront transmis.",
  },
  FILES_ERASED: {
    status: 410,
    told: "both",
    text: "Les fichiers de ce flux ont été effacés, leur durée de conservation étant passée.",
    advice: "L'acquittement et le journal restent ; demandez le document lui-même au SNE.",
  },
  INVALID_REQUEST: {
    status: 400,
    told: "both",
    text: "La requête n'est pas acceptable : {detail}.",
    advice: "Corrigez la requête ; le contrat est à /api/v1/openapi.json.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    told: "both",
    text: "Cette méthode n'est pas acceptée ici.",
    advice: "Le contrat est à /api/v1/openapi.json.",
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    told: "sender",
    text: "Le type de contenu {found} n'est pas accepté.",
    advice: "Envoyez application/xml, text/xml ou multipart/form-data.",
  },
  NOT_ACCEPTABLE: {
    status: 406,
    told: "sender",
    text: "Aucune des formes demandées n'est disponible.",
    advice: "Demandez application/xml ou application/json.",
  },
  MOVE_NOT_ALLOWED: {
    status: 409,
    told: "operator",
    text: "Un flux à l'état {state} ne peut pas recevoir cette opération.",
    advice: "Relisez l'état du flux ; il a pu changer entre-temps.",
  },
  INTERNAL_ERROR: {
    status: 500,
    told: "both",
    text: "Une erreur imprévue est survenue dans la passerelle.",
    advice: "Signalez l'heure et l'identifiant à l'exploitant : le journal en garde la cause.",
  },

  // --- the store ---------------------------------------------------------------------------------
  STORE_FULL: {
    status: 507,
    told: "both",
    text: "Le disque de la passerelle{where} est plein : le flux n'a pas été reçu.",
    advice: "Libérez de la place ; l'expéditeur renverra de lui-même ou plus tard.",
  },
  STORE_UNAVAILABLE: {
    status: 503,
    told: "both",
    text: "Le stockage de la passerelle{where} est indisponible : le flux n'a pas été reçu.",
    advice: "Vérifiez le stockage (passerelle doctor) ; renvoyez plus tard.",
  },
  STORE_IN_USE: {
    status: 503,
    told: "operator",
    text: "Le fichier de la base {path} est déjà ouvert par une autre passerelle.",
    advice: "Arrêtez l'autre processus, ou donnez à celui-ci un autre GATEWAY_STORE.",
  },
  STORE_TOO_NEW: {
    status: 503,
    told: "operator",
    text: "La base est d'une édition plus récente que ce programme ({found} > {known}).",
    advice: "Installez la version de la passerelle qui l'a écrite.",
  },
  STORE_NOT_REPLICATED: {
    status: 503,
    told: "operator",
    text: "Le serveur MongoDB est seul, sans replica set : ni transactions, ni accord d'une majorité.",
    advice:
      "Démarrez mongod avec --replSet rs0 puis lancez une fois rs.initiate() : un replica set d'un seul membre suffit ; il en faut trois pour survivre à une panne.",
  },
  STORE_MOVED: {
    status: 503,
    told: "operator",
    text: "La base est sous scellés : {detail}.",
    advice:
      "Copie achevée : donnez la nouvelle base à GATEWAY_STORE. Inachevée : reprenez-la ou renoncez-y (docs/operations.md).",
  },
  STORE_INCOMPLETE: {
    status: 503,
    told: "operator",
    text: "La base est une copie inachevée : {detail}.",
    advice: "Achevez la copie, ou renoncez-y (docs/operations.md) ; rien n'est perdu.",
  },
  STORE_COPY_REFUSED: {
    status: 409,
    told: "operator",
    text: "La copie n'est pas possible : {detail}.",
    advice: "Voyez docs/operations.md, « Passer de SQLite à MongoDB ».",
  },
  MOVED_TO_PARTITION: {
    status: 409,
    told: "operator",
    text: "Le flux se trouve désormais dans la base « {partition} », celle de son guichet.",
    advice: "Rien à faire : il y est suivi sous le même identifiant.",
  },
  STOPPING: {
    status: 503,
    told: "both",
    text: "La passerelle s'arrête : elle ne reçoit plus.",
    advice: "Renvoyez dans quelques instants.",
  },

  // --- forwarding --------------------------------------------------------------------------------
  SNE_UNREACHABLE: {
    status: 503,
    told: "operator",
    text: "Le SNE n'a pas pu être joint : {detail}.",
    advice: "Rien n'est perdu : le flux repartira de lui-même. Vérifiez l'adresse et le réseau.",
  },
  SNE_BUSY: {
    status: 503,
    told: "operator",
    text: "Le SNE demande de réessayer plus tard (HTTP {status}).",
    advice: "Le flux repartira de lui-même.",
  },
  SNE_ACCESS_REFUSED: {
    status: 503,
    told: "operator",
    text: "Le SNE refuse l'accès de la passerelle : {detail}.",
    advice: "Vérifiez le certificat client et l'adresse (passerelle doctor).",
  },
  SNE_WRONG_ADDRESS: {
    status: 503,
    told: "operator",
    text: "L'adresse du SNE ne répond pas comme le service attendu (HTTP {status}).",
    advice:
      "Vérifiez GATEWAY_SNE_URL, GATEWAY_SNE_SEARCH_URL et GATEWAY_SNE_EVENTS_URL. Une redirection n'est jamais suivie.",
  },
  SANS_CODE: {
    status: 422,
    told: "sender",
    text: "Le SNE a refusé le fichier, sans donner de code ni d'explication.",
    advice: "Lisez le message qui l'accompagne, ou interrogez l'administration du SNE.",
  },
  SNE_SERVER_ERROR: {
    status: 502,
    told: "operator",
    text: "Le SNE a répondu par une erreur : {detail}.",
    advice: "Examinez le flux, puis resoumettez-le ou abandonnez-le.",
  },
  SNE_REQUEST_REJECTED: {
    status: 502,
    told: "operator",
    text: "Le SNE a rejeté la requête sans la traiter : {detail}.",
    advice: "Examinez le flux, puis resoumettez-le ou abandonnez-le.",
  },
  SNE_NO_ANSWER: {
    status: 504,
    told: "operator",
    text: "La requête est partie et aucune réponse n'a été lue : {detail}.",
    advice: "L'effet est inconnu. Vérifiez dans le SNE, puis tranchez : passerelle flux resolve.",
  },
  SNE_UNREADABLE_ANSWER: {
    status: 502,
    told: "operator",
    text: "La réponse du SNE n'a pas pu être lue : {detail}.",
    advice: "L'effet est inconnu. Vérifiez dans le SNE, puis tranchez : passerelle flux resolve.",
  },
  LEASE_ENDED: {
    status: 504,
    told: "operator",
    text: "La passerelle s'est arrêtée pendant l'appel du SNE : l'effet est inconnu.",
    advice: "Vérifiez dans le SNE, puis tranchez : passerelle flux resolve.",
  },
  PAYLOAD_MISSING: {
    status: 500,
    told: "operator",
    text: "Le fichier d'origine n'est plus dans la base, ou son empreinte a changé.",
    advice: "Demandez une réémission au guichet et signalez l'incident.",
  },

  // --- acknowledging -----------------------------------------------------------------------------
  MAIL_NOT_DELIVERED: {
    status: 502,
    told: "operator",
    text: "L'acquittement n'a pas pu être remis par messagerie : {detail}.",
    advice: "Il reste dû et sera retenté. Vérifiez GATEWAY_MAIL_URL et l'adresse du guichet.",
  },
  FILE_NOT_DELIVERED: {
    status: 502,
    told: "operator",
    text: "L'acquittement n'a pas pu être écrit dans le dossier du guichet : {detail}.",
    advice: "Il reste dû et sera retenté. Vérifiez le dossier et ses droits.",
  },
  NO_RETURN_CHANNEL: {
    status: 502,
    told: "operator",
    text: "Le canal de retour {channel} n'est pas en service.",
    advice: "Il reste dû. Mettez le canal en service, ou changez le retour du guichet.",
  },

  // --- configuration -----------------------------------------------------------------------------
  INVALID_SETTING: {
    status: 500,
    told: "operator",
    text: "Le réglage {env} n'est pas acceptable : {detail}.",
    advice: "Voyez docs/settings.md.",
  },
  UNKNOWN_SETTING: {
    status: 500,
    told: "operator",
    text: "Le réglage {env} n'existe pas{suggestion}.",
    advice: "Voyez docs/settings.md.",
  },
  INVALID_GUICHETS: {
    status: 500,
    told: "operator",
    text: "Le fichier des guichets n'est pas acceptable : {detail}.",
    advice: "Corrigez la ligne indiquée ; voyez docs/operations.md.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorDetails = Readonly<Record<string, string | number>>;

/** An error of the gateway: its code is its contract, its message a French sentence. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(errorText(code, details), cause === undefined ? undefined : { cause });
    this.name = "GatewayError";
    this.code = code;
    this.details = details;
  }
}

/** Makes an error of the table: `throw gatewayError("STORE_FULL")`. */
export function gatewayError(
  code: ErrorCode,
  details: ErrorDetails = {},
  cause?: unknown,
): GatewayError {
  return new GatewayError(code, details, cause);
}

/** The French sentence of a code, with its details in place. */
export function errorText(code: ErrorCode, details: ErrorDetails = {}): string {
  return ERRORS[code].text.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? ""));
}

/** True for a code of the table, and not one of the SNE's own or of the schema. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** The message of anything thrown, for a journal or a log; never empty. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return typeof error === "string" && error !== "" ? error : "erreur sans message";
}

/** Causes of causes told at most. */
const MOST_CAUSES = 4;

/**
 * The same with what caused it, for logs: « indisponible » alone says nothing of what to do. An error
 * of ours told again by another of ours says its sentence once.
 */
export function messageWithCauseOf(error: unknown): string {
  const message = messageOf(error);
  const causes: string[] = [];
  let inner = error;
  for (let depth = 0; depth < MOST_CAUSES; depth += 1) {
    if (!(inner instanceof Error) || inner.cause === undefined) break;
    inner = inner.cause;
    const told = messageOf(inner);
    if (![message, ...causes].some((text) => text.includes(told))) causes.push(told);
  }
  return causes.length === 0 ? message : `${message} (${causes.join(" : ")})`;
}

/** The system or library code of anything thrown (`ECONNREFUSED`…), undefined when it has none. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error === "object" && error !== null && "code" in error) {
    return typeof error.code === "string" ? error.code : undefined;
  }
  return undefined;
}
