/**
 * Every setting of the gateway, one row each: its environment variable, shape, default and what it
 * does. This table alone makes the type, the check at start, `docs/settings.md` and
 * `config/gateway.env` (a test compares them). Secrets have no default.
 */

interface CommonRow {
  readonly env: `GATEWAY_${string}`;
  /** Chapter in the documentation. */
  readonly group:
    "Gateway" | "Store" | "Mail" | "Folders" | "HTTP" | "SNE" | "Checks" | "Acquittements";
  /** English, one or two sentences; ends with a full stop. */
  readonly help: string;
  readonly secret?: true;
}
export type TextRow = CommonRow & { readonly kind: "text"; readonly default: string };
/** May stay unset. */
export type OptionalRow = CommonRow & { readonly kind: "optional" };
export type NumberRow = CommonRow & {
  readonly kind: "integer" | "milliseconds" | "bytes";
  readonly default: number;
  readonly min: number;
  readonly max: number;
};
export type FlagRow = CommonRow & { readonly kind: "flag"; readonly default: boolean };
export type ChoiceRow<T extends string = string> = CommonRow & {
  readonly kind: "choice";
  readonly oneOf: readonly T[];
  readonly default: NoInfer<T>;
};
/** Comma-separated. */
export type ListRow = CommonRow & { readonly kind: "list" };
/** Comma-separated, among given words. */
export type ChoicesRow<T extends string = string> = CommonRow & {
  readonly kind: "choices";
  readonly oneOf: readonly T[];
  readonly default: readonly NoInfer<T>[];
};
export type SettingRow =
  TextRow | OptionalRow | NumberRow | FlagRow | ChoiceRow | ListRow | ChoicesRow;

const MINUTE = 60_000;
const MEGABYTE = 1024 * 1024;

export const SETTINGS = {
  // --- Gateway -----------------------------------------------------------------------------------
  name: {
    env: "GATEWAY_NAME",
    group: "Gateway",
    kind: "text",
    default: "passerelle",
    help: "Name of this gateway in leases, claimed files and logs. Two gateways on one folder or store need two names.",
  },
  hostName: {
    env: "GATEWAY_HOST_NAME",
    group: "Gateway",
    kind: "text",
    default: "passerelle.localdomain",
    help: "Domain that signs Message-IDs and the SMTP greeting. Never change it while acquittements are owed: a repeated mail is recognised by its Message-ID.",
  },
  guichetsFile: {
    env: "GATEWAY_GUICHETS",
    group: "Gateway",
    kind: "text",
    default: "config/guichets.json",
    help: "The guichets: codes, senders, folders, return channels. Its mistakes are told with their line at start.",
  },
  logLevel: {
    env: "GATEWAY_LOG_LEVEL",
    group: "Gateway",
    kind: "choice",
    oneOf: ["debug", "info", "warn", "error", "silent"],
    default: "info",
    help: "JSON logs on standard output from this level up. No level logs the content of a demande.",
  },
  stopMs: {
    env: "GATEWAY_STOP_MS",
    group: "Gateway",
    kind: "milliseconds",
    default: 8_000,
    min: 500,
    max: 5 * MINUTE,
    help: "Longest wait for the work in hand at SIGTERM. A call to the SNE still open then is in doubt at the next start.",
  },

  // --- Store -------------------------------------------------------------------------------------
  store: {
    env: "GATEWAY_STORE",
    group: "Store",
    kind: "text",
    default: "data/passerelle.db",
    help: "Path of the embedded SQLite database, or mongodb:// address of a replica set that several gateways may share. Put a file on a local disk: network file systems break its promises.",
  },
  storePartitions: {
    env: "GATEWAY_STORE_PARTITIONS",
    group: "Store",
    kind: "optional",
    secret: true,
    help: "More databases, for the guichets that name them (`store` in the file of guichets): nord=mongodb://…;sud=/srv/sud.db. What names none of them is kept in GATEWAY_STORE. See docs/operations.md before changing it.",
  },
  leaseMs: {
    env: "GATEWAY_LEASE_MS",
    group: "Store",
    kind: "milliseconds",
    default: 2 * MINUTE,
    min: 1_000,
    max: 60 * MINUTE,
    help: "How long a flux is lent to a worker. It must be longer than GATEWAY_SNE_TIMEOUT_MS: a lease that ends puts the flux in doubt.",
  },
  quarantineMax: {
    env: "GATEWAY_QUARANTINE_MAX",
    group: "Store",
    kind: "integer",
    default: 1_000,
    min: 0,
    max: 1_000_000,
    help: "Fluxes of unknown senders kept in quarantine. Over it they are turned away (451), so that strangers cannot fill the disk.",
  },
  queueMaxFluxes: {
    env: "GATEWAY_QUEUE_MAX_FLUXES",
    group: "Store",
    kind: "integer",
    default: 1_000_000,
    min: 0,
    max: 100_000_000,
    help: "Fluxes open or failed at most, all guichets together. Over it arrivals are told to come again (451, 503, file left in place). 0: no bound.",
  },
  queueMaxMegabytes: {
    env: "GATEWAY_QUEUE_MAX_MB",
    group: "Store",
    kind: "integer",
    default: 0,
    min: 0,
    max: 100_000_000,
    help: "The same in megabytes of files received. 0: no bound.",
  },
  guichetMaxFluxes: {
    env: "GATEWAY_QUEUE_MAX_FLUXES_GUICHET",
    group: "Store",
    kind: "integer",
    default: 0,
    min: 0,
    max: 100_000_000,
    help: "Fluxes open or failed at most for one guichet, so that one cannot fill the store for all. 0: no bound.",
  },
  guichetMaxMegabytes: {
    env: "GATEWAY_QUEUE_MAX_MB_GUICHET",
    group: "Store",
    kind: "integer",
    default: 0,
    min: 0,
    max: 100_000_000,
    help: "The same in megabytes of files received. 0: no bound.",
  },
  retentionDays: {
    env: "GATEWAY_RETENTION_DAYS",
    group: "Store",
    kind: "integer",
    default: 90,
    min: 0,
    max: 3_650,
    help: "Days that the files of a flux are kept once it is acknowledged or discarded; 0 keeps them for ever. They hold personal data; 90 leaves a quarter to find a loss (one of 2013 took weeks) and ask for a document again. Journals stay.",
  },
  dropInWaitMs: {
    env: "GATEWAY_DROPIN_WAIT_MS",
    group: "HTTP",
    kind: "milliseconds",
    default: 20_000,
    min: 0,
    max: 10 * MINUTE,
    help: "On the SNE's own paths, how long a caller that writes waits for the SNE's answer before it is told that its flux is kept and deferred. Less than its own time limit.",
  },
  dropInDemandesPath: {
    env: "GATEWAY_DROPIN_DEMANDES_PATH",
    group: "HTTP",
    kind: "text",
    default: "/services/DemandeLogementImplService",
    help: "Where the gateway serves DemandeLogementImplService as the SNE does; `-` to not serve it.",
  },
  dropInSearchPath: {
    env: "GATEWAY_DROPIN_SEARCH_PATH",
    group: "HTTP",
    kind: "text",
    default: "/services/RechercheDemandeImplService",
    help: "The same for RechercheDemandeImplService.",
  },
  dropInEventsPath: {
    env: "GATEWAY_DROPIN_EVENTS_PATH",
    group: "HTTP",
    kind: "text",
    default: "/services/GestionPartageeEVTImplService",
    help: "The same for GestionPartageeEVTImplService.",
  },
  maxFileBytes: {
    env: "GATEWAY_MAX_FILE_BYTES",
    group: "Store",
    kind: "bytes",
    default: 20 * MEGABYTE,
    min: 1_024,
    max: 200 * MEGABYTE,
    help: "Largest file taken, whatever the channel; a mail may be half as large again, for its encoding.",
  },

  // --- Mail --------------------------------------------------------------------------------------
  smtpPort: {
    env: "GATEWAY_SMTP_PORT",
    group: "Mail",
    kind: "integer",
    default: 2525,
    min: -1,
    max: 65_535,
    help: "Port of the SMTP receiver; 0 takes any free port, -1 turns the receiver off.",
  },
  smtpHost: {
    env: "GATEWAY_SMTP_HOST",
    group: "Mail",
    kind: "text",
    default: "127.0.0.1",
    help: "Address the SMTP receiver listens on; 0.0.0.0 for all.",
  },
  smtpRecipients: {
    env: "GATEWAY_SMTP_RECIPIENTS",
    group: "Mail",
    kind: "list",
    help: "Recipient addresses or domains taken, separated by commas; empty takes all. Nothing is ever relayed.",
  },
  smtpTlsKey: {
    env: "GATEWAY_SMTP_TLS_KEY",
    group: "Mail",
    kind: "optional",
    help: "Private key file (PEM) for STARTTLS. Without it STARTTLS is not offered.",
  },
  smtpTlsCert: {
    env: "GATEWAY_SMTP_TLS_CERT",
    group: "Mail",
    kind: "optional",
    help: "Certificate file (PEM) for STARTTLS.",
  },
  smtpRequireTls: {
    env: "GATEWAY_SMTP_REQUIRE_TLS",
    group: "Mail",
    kind: "flag",
    default: false,
    help: "Refuse mail before STARTTLS.",
  },
  smtpUsers: {
    env: "GATEWAY_SMTP_USERS",
    group: "Mail",
    kind: "optional",
    secret: true,
    help: "User names and passwords of SMTP AUTH, as user:password separated by commas. When set, AUTH is required; the user is matched to smtpUser of the guichets.",
  },
  mailUrl: {
    env: "GATEWAY_MAIL_URL",
    group: "Mail",
    kind: "optional",
    secret: true,
    help: "Mail server that carries acquittements, as smtp://user:password@host:port or smtps://. Without it acquittements by mail stay owed, and the log says so.",
  },
  mailFrom: {
    env: "GATEWAY_MAIL_FROM",
    group: "Mail",
    kind: "text",
    default: "passerelle-sne@localhost",
    help: "Sender address of acquittements. Bounces come back to it: give one that a person reads.",
  },

  // --- Folders -----------------------------------------------------------------------------------
  folderSettleMs: {
    env: "GATEWAY_FOLDER_SETTLE_MS",
    group: "Folders",
    kind: "milliseconds",
    default: 2_000,
    min: 0,
    max: 10 * MINUTE,
    help: "A dropped file is taken once its size and date have not changed for this long.",
  },
  folderPollMs: {
    env: "GATEWAY_FOLDER_POLL_MS",
    group: "Folders",
    kind: "milliseconds",
    default: 1_000,
    min: 50,
    max: 10 * MINUTE,
    help: "How often drop folders are looked at; changes are also watched where the system can.",
  },

  // --- HTTP --------------------------------------------------------------------------------------
  httpPort: {
    env: "GATEWAY_HTTP_PORT",
    group: "HTTP",
    kind: "integer",
    default: 8080,
    min: 0,
    max: 65_535,
    help: "Port of REST, health and metrics; 0 takes any free port.",
  },
  httpHost: {
    env: "GATEWAY_HTTP_HOST",
    group: "HTTP",
    kind: "text",
    default: "127.0.0.1",
    help: "Address HTTP listens on. Give it a certificate, or put TLS in front of it, before listening to a network.",
  },
  httpTlsCert: {
    env: "GATEWAY_HTTP_TLS_CERT",
    group: "HTTP",
    kind: "optional",
    help: "Certificate chain file (PEM). With it the port speaks TLS alone. Read again when it changes.",
  },
  httpTlsKey: {
    env: "GATEWAY_HTTP_TLS_KEY",
    group: "HTTP",
    kind: "optional",
    help: "Its private key file (PEM, no passphrase). Read again when it changes.",
  },
  httpTlsCa: {
    env: "GATEWAY_HTTP_TLS_CA",
    group: "HTTP",
    kind: "optional",
    help: "Authorities (PEM) of the guichets' certificates. With it clients are asked for one, and those without may still use a key; a guichet known by `certificateSubject` needs it, one known by `certificates` (fingerprints) does not.",
  },
  httpAuth: {
    env: "GATEWAY_HTTP_AUTH",
    group: "HTTP",
    kind: "choices",
    oneOf: ["certificate", "basic", "bearer"],
    default: ["certificate", "basic", "bearer"],
    help: "How a guichet may say who it is over HTTP: by its client certificate, by Basic (its code, and its key as password), by its key as a bearer. The operator's key is always a bearer.",
  },
  operatorKeySha256: {
    env: "GATEWAY_OPERATOR_KEY_SHA256",
    group: "HTTP",
    kind: "optional",
    secret: true,
    help: "SHA-256 (hexadecimal) of the operator's bearer key. Without it, operations are open to this machine only.",
  },

  soapPath: {
    env: "GATEWAY_SOAP_PATH",
    group: "HTTP",
    kind: "text",
    default: "/services/passerelle",
    help: "Where the gateway serves its own SOAP service (wsdl/passerelle.wsdl, also given under ?wsdl); `-` to not serve it.",
  },

  // --- SNE ---------------------------------------------------------------------------------------
  sneUrl: {
    env: "GATEWAY_SNE_URL",
    group: "SNE",
    kind: "optional",
    help: "Address of the SNE's DemandeLogementImplService. Without it fluxes are kept and wait.",
  },
  sneSearchUrl: {
    env: "GATEWAY_SNE_SEARCH_URL",
    group: "SNE",
    kind: "optional",
    help: "Address of the SNE's RechercheDemandeImplService. When absent, that name beside the last step of GATEWAY_SNE_URL: inferred, the real one is not public.",
  },
  sneEventsUrl: {
    env: "GATEWAY_SNE_EVENTS_URL",
    group: "SNE",
    kind: "optional",
    help: "Address of the SNE's GestionPartageeEVTImplService. When absent, that name beside the last step of GATEWAY_SNE_URL: inferred, the real one is not public.",
  },
  sneTlsKey: {
    env: "GATEWAY_SNE_TLS_KEY",
    group: "SNE",
    kind: "optional",
    help: "Private key file (PEM) of the client certificate. Read again when it changes.",
  },
  sneTlsCert: {
    env: "GATEWAY_SNE_TLS_CERT",
    group: "SNE",
    kind: "optional",
    help: "Client certificate chain file (PEM).",
  },
  sneTlsCa: {
    env: "GATEWAY_SNE_TLS_CA",
    group: "SNE",
    kind: "optional",
    help: "Certificate authorities (PEM) the SNE's own certificate must come from; the system's when absent.",
  },
  sneTlsPassphrase: {
    env: "GATEWAY_SNE_TLS_PASSPHRASE",
    group: "SNE",
    kind: "optional",
    secret: true,
    help: "Passphrase of the private key.",
  },
  sneCertificateName: {
    env: "GATEWAY_SNE_CERTIFICATE_NAME",
    group: "SNE",
    kind: "text",
    default: "",
    help: "nomCertificat sent with each call. Its meaning for the SNE is not public; libsne sends CER<guichet>-YYYYMMDDHHMM.pem.",
  },
  sneTimeoutMs: {
    env: "GATEWAY_SNE_TIMEOUT_MS",
    group: "SNE",
    kind: "milliseconds",
    default: 60_000,
    min: 100,
    max: 30 * MINUTE,
    help: "Longest wait for a whole answer. Past it the flux is in doubt, never called failed.",
  },
  sneConnectTimeoutMs: {
    env: "GATEWAY_SNE_CONNECT_TIMEOUT_MS",
    group: "SNE",
    kind: "milliseconds",
    default: 10_000,
    min: 50,
    max: 5 * MINUTE,
    help: "Longest wait for a connection. Past it nothing was sent, and the flux is tried again.",
  },
  sneConcurrency: {
    env: "GATEWAY_SNE_CONCURRENCY",
    group: "SNE",
    kind: "integer",
    default: 8,
    min: 1,
    max: 256,
    help: "Fluxes sent to the SNE at once. Questions passed through have as many connections of their own.",
  },
  sneMaxAnswerBytes: {
    env: "GATEWAY_SNE_MAX_ANSWER_BYTES",
    group: "SNE",
    kind: "bytes",
    default: 50 * MEGABYTE,
    min: 10_240,
    max: 500 * MEGABYTE,
    help: "Largest answer read; a larger one leaves the flux in doubt.",
  },
  sneServerError: {
    env: "GATEWAY_SNE_SERVER_ERROR",
    group: "SNE",
    kind: "choice",
    oneOf: ["critical", "transient", "unknown"],
    default: "critical",
    help: "What a server error of the SNE means (« Une erreur inattendue… », a receiver fault). That it had no effect is inferred, not published: choose unknown to settle each by hand.",
  },
  numeroUniquePattern: {
    env: "GATEWAY_NUMERO_UNIQUE_PATTERN",
    group: "SNE",
    kind: "text",
    default: "^[0-9A-Z]{18}$",
    help: "Shape of a numéro unique typed by an operator (inferred from one public sample). Numbers given by the SNE are taken as they come.",
  },
  retryFirstMs: {
    env: "GATEWAY_RETRY_FIRST_MS",
    group: "SNE",
    kind: "milliseconds",
    default: 2_000,
    min: 10,
    max: 60 * MINUTE,
    help: "First delay after a transient failure; it doubles at each attempt, with jitter.",
  },
  retryMaxMs: {
    env: "GATEWAY_RETRY_MAX_MS",
    group: "SNE",
    kind: "milliseconds",
    default: 10 * MINUTE,
    min: 10,
    max: 24 * 60 * MINUTE,
    help: "Longest delay between two attempts.",
  },
  breakerFailures: {
    env: "GATEWAY_BREAKER_FAILURES",
    group: "SNE",
    kind: "integer",
    default: 5,
    min: 1,
    max: 1_000,
    help: "Failures of the link in a row that open the circuit breaker.",
  },
  breakerOpenMs: {
    env: "GATEWAY_BREAKER_OPEN_MS",
    group: "SNE",
    kind: "milliseconds",
    default: 15_000,
    min: 50,
    max: 60 * MINUTE,
    help: "How long the breaker stays open before one flux tries the link again. Waiting costs no attempt.",
  },

  // --- Checks ------------------------------------------------------------------------------------
  schemasDir: {
    env: "GATEWAY_SCHEMAS_DIR",
    group: "Checks",
    kind: "text",
    default: "schemas",
    help: "Folder of the interfaceNuu schemas and their manifest; replace it for a later edition.",
  },
  schemaPolicy: {
    env: "GATEWAY_SCHEMA_POLICY",
    group: "Checks",
    kind: "choice",
    oneOf: ["note", "refuse", "off"],
    default: "note",
    help: "What to do with a file that is invalid against the schema: forward it with a note (the SNE is the judge, and its editions change; a call through the SNE's own services is noted when it is not accepted), refuse it at arrival, or not look.",
  },
  schemaRefuses: {
    env: "GATEWAY_SCHEMA_REFUSES",
    group: "Checks",
    kind: "choices",
    oneOf: ["structure", "value", "unknown", "code"],
    default: ["structure", "value"],
    help: "With GATEWAY_SCHEMA_POLICY=refuse, the faults that refuse: structure (an element missing, misplaced, once too often), value (length, pattern, range, type), unknown (an element or attribute the schema has never heard of), code (a code in no list). The others are noted: later editions add elements and codes.",
  },

  // --- Acquittements -----------------------------------------------------------------------------
  deliveryConcurrency: {
    env: "GATEWAY_DELIVERY_CONCURRENCY",
    group: "Acquittements",
    kind: "integer",
    default: 8,
    min: 1,
    max: 256,
    help: "Acquittements being delivered at once.",
  },
  deliveryRetryFirstMs: {
    env: "GATEWAY_DELIVERY_RETRY_FIRST_MS",
    group: "Acquittements",
    kind: "milliseconds",
    default: 5_000,
    min: 10,
    max: 60 * MINUTE,
    help: "First delay after an acquittement could not be delivered; it doubles at each attempt, with jitter. It stays owed for ever.",
  },
  deliveryRetryMaxMs: {
    env: "GATEWAY_DELIVERY_RETRY_MAX_MS",
    group: "Acquittements",
    kind: "milliseconds",
    default: 30 * MINUTE,
    min: 10,
    max: 24 * 60 * MINUTE,
    help: "Longest delay between two deliveries.",
  },
} as const satisfies Record<string, SettingRow>;
