/**
 * Composes the checks of `passerelle doctor` (capability F9): everything a start and a first flux
 * would meet, looked at without starting anything, each told with what to do.
 */
import { join } from "node:path";
import { readGuichetsFile } from "./adapters/config/guichets-file.ts";
import { checkCertificate } from "./adapters/doctor/check-certificate.ts";
import { checkClock, checkDisk } from "./adapters/doctor/check-disk.ts";
import { checkHttpPort, checkSmtpPort } from "./adapters/doctor/check-ports.ts";
import { askMailServer } from "./adapters/mail/ask-mail-server.ts";
import { inspectStore } from "./adapters/sqlite/inspect-store.ts";
import { readSchemaSet } from "./adapters/xml/schema-manifest.ts";
import { buildRegistry } from "./build-forwarding.ts";
import { checkHttpTls } from "./check-http-tls.ts";
import { ERRORS, messageOf } from "./domain/errors.ts";
import type { Guichets } from "./domain/guichet.ts";
import { sneAddresses } from "./forward/sne-addresses.ts";
import { sealError, type StoreSeal } from "./keep/store-seal.ts";
import { partitionNames, storesOf } from "./open-stores.ts";
import { findingsOf, type DoctorCheck } from "./operate/doctor-check.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import { SILENT_LOG } from "./runtime/log.ts";
import { readSettings, type Settings } from "./runtime/settings.ts";
import type { SneService } from "./wire/sne-contract.ts";
import { type NamedStore, shownStore, storeKind } from "./runtime/store-address.ts";

/** Longest wait for the SNE or the mail server, ms. */
const REMOTE_MS = 10_000;

/** Yields each check as it is made; with settings that cannot be read, the rest would mean nothing. */
export async function* diagnose({
  environment,
  clock,
  chance,
}: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly chance: Chance;
}): AsyncGenerator<DoctorCheck> {
  const subject = findingsOf("settings");
  const reading = readSettings(environment);
  if (reading.kind === "invalid") {
    for (const { message } of reading.problems) {
      yield subject.failed(message, "Voyez docs/settings.md, ou passerelle settings.");
    }
    return;
  }
  const { settings } = reading;
  yield subject.ok("Les réglages sont acceptables.");
  const guichets = yield* checkGuichets(settings);
  const stores = storesOf(settings);
  for (const store of stores) yield* checkStore(store, clock);
  const file = stores.find(({ address }) => storeKind(address) === "sqlite");
  yield checkClock(file?.address ?? "", clock.now());
  const { httpHost: host, httpPort: port, httpTlsCert } = settings;
  yield await checkHttpPort({ host, port }, httpTlsCert !== undefined);
  yield* checkHttpTls(settings, guichets, clock);
  yield checkOperatorKey(settings);
  yield await checkSmtpPort(
    { host: settings.smtpHost, port: settings.smtpPort },
    settings.hostName,
  );
  yield* checkSmtpCertificate(settings, clock);
  yield* checkMail(settings, guichets);
  yield checkSchemas(settings);
  yield* checkSne(settings, clock, chance);
}

function* checkGuichets(settings: Settings): Generator<DoctorCheck, Guichets | undefined> {
  const { ok, warning, failed } = findingsOf("guichets");
  const file = settings.guichetsFile;
  const found = readGuichetsFile(file, partitionNames(settings));
  if (found.kind === "invalid") {
    for (const { line, column, message } of found.problems) {
      yield failed(
        `${file}, ligne ${line}, colonne ${column} : ${message}`,
        "Corrigez cette ligne.",
      );
    }
    return undefined;
  }
  const codes = found.guichets.all.map((guichet) => guichet.code);
  yield codes.length === 0
    ? warning(`${file} ne déclare aucun guichet.`, "Déclarez-y ceux qui envoient des flux.")
    : ok(`${file} déclare ${codes.length} guichet(s) : ${codes.join(", ")}.`);
  return found.guichets;
}

async function* checkStore({ address }: NamedStore, clock: Clock): AsyncGenerator<DoctorCheck> {
  if (storeKind(address) === "mongodb") {
    yield* checkMongoStore(address, clock);
    return;
  }
  yield* checkDisk(address);
  yield checkSqliteStore(address);
}

/** Clocks that differ by more are told, ms: times in journals would be hard to read. */
const CLOCK_DIFFERENCE_MS = 5_000;

async function* checkMongoStore(address: string, clock: Clock): AsyncGenerator<DoctorCheck> {
  const { ok, warning, failed } = findingsOf("store");
  const shown = shownStore(address);
  const { inspectMongo } = await import("./adapters/mongo/inspect-mongo.ts");
  const seen = await inspectMongo(address, { clock });
  switch (seen.kind) {
    case "alone":
      yield failed(
        `La base ${shown} : ${ERRORS.STORE_NOT_REPLICATED.text}`,
        ERRORS.STORE_NOT_REPLICATED.advice,
      );
      return;
    case "sealed":
      yield sealed(seen.seal, shown);
      return;
    case "unusable":
      yield failed(
        `La base ${shown} ne répond pas : ${seen.detail}.`,
        "Vérifiez l'adresse, le réseau, l'utilisateur et ses droits (docs/mongodb.md).",
      );
      return;
    case "usable":
      break;
  }
  const { version, members, fluxes, clockDifferenceMs } = seen;
  yield ok(`La base ${shown} répond (MongoDB ${version}) ; elle garde ${fluxes} flux.`);
  if (members !== undefined && members < 3) {
    yield warning(
      `Son replica set a ${members} membre(s) : la panne d'une machine arrête la passerelle, ou perd ce qu'elle gardait si son disque est perdu.`,
      "Pour la production, ajoutez des membres jusqu'à trois, sur trois machines.",
    );
  }
  if (Math.abs(clockDifferenceMs) > CLOCK_DIFFERENCE_MS) {
    yield warning(
      `L'horloge de la base et celle de cette machine diffèrent de ${Math.round(clockDifferenceMs / 1_000)} s.`,
      "Mettez les machines à l'heure (NTP) : la passerelle s'en accommode, les journaux se liraient mal.",
    );
  }
}

function sealed(seal: StoreSeal, place: string): DoctorCheck {
  const error = sealError(seal, place);
  return findingsOf("store").failed(error.message, ERRORS[error.code].advice);
}

function checkSqliteStore(store: string): DoctorCheck {
  const { ok, failed } = findingsOf("store");
  const seen = inspectStore(store);
  switch (seen.kind) {
    case "absent":
      return ok(`La base ${store} sera créée au premier démarrage.`);
    case "free":
      return ok(`La base ${store} s'ouvre ; elle garde ${seen.fluxes} flux.`);
    case "sealed":
      return sealed(seen.seal, store);
    case "inUse":
      return ok(`La base ${store} est tenue par une passerelle en service.`);
    case "unusable":
      return failed(
        `La base ${store} ne s'ouvre pas : ${seen.detail}.`,
        "Ne l'effacez pas : elle garde des flux. Restaurez-la, ou faites-la examiner.",
      );
  }
}

function checkOperatorKey(settings: Settings): DoctorCheck {
  const { ok, warning } = findingsOf("operatorKey");
  if (settings.operatorKeySha256 !== undefined) {
    return ok("Une clé d'exploitant protège les opérations.");
  }
  const isLocal = settings.httpHost === "127.0.0.1" || settings.httpHost === "::1";
  return isLocal
    ? ok("Aucune clé d'exploitant : seuls les programmes de cette machine peuvent opérer.")
    : warning(
        `HTTP écoute sur ${settings.httpHost} sans clé d'exploitant.`,
        "Réglez GATEWAY_OPERATOR_KEY_SHA256 ; sans elle, seule cette machine peut opérer.",
      );
}

async function* checkSmtpCertificate(
  { smtpPort, smtpTlsCert, smtpTlsKey }: Settings,
  clock: Clock,
): AsyncGenerator<DoctorCheck> {
  if (smtpPort < 0 || smtpTlsCert === undefined || smtpTlsKey === undefined) return;
  yield await checkCertificate({
    id: "smtpCertificate",
    use: "STARTTLS",
    certFile: smtpTlsCert,
    keyFile: smtpTlsKey,
    now: clock.now(),
  });
}

async function* checkMail(
  settings: Settings,
  guichets: Guichets | undefined,
): AsyncGenerator<DoctorCheck> {
  const { ok, warning, failed } = findingsOf("mail");
  if (settings.mailUrl === undefined) {
    const isNeeded = guichets?.all.some(
      ({ returnBy, senders }) => returnBy === "mail" || (returnBy === "same" && senders.length > 0),
    );
    const text = "Aucun serveur de messagerie n'est réglé pour les acquittements";
    yield isNeeded === true
      ? warning(
          `${text}, et des guichets les attendent par messagerie : ils resteront dus.`,
          "Réglez GATEWAY_MAIL_URL (smtp://serveur:25).",
        )
      : ok(`${text} ; aucun guichet n'en attend par messagerie.`);
    return;
  }
  const { host } = new URL(settings.mailUrl);
  const { ok: isReachable, detail } = await askMailServer({
    transportUrl: settings.mailUrl,
    hostName: settings.hostName,
    timeoutMs: REMOTE_MS,
  });
  yield isReachable
    ? ok(`Le serveur de messagerie ${host} répond : ${detail}.`)
    : failed(
        `Le serveur de messagerie ${host} ne prendrait pas les acquittements : ${detail}.`,
        "Vérifiez GATEWAY_MAIL_URL et le réseau. Les acquittements restent dus entre-temps.",
      );
}

function checkSchemas({ schemasDir, schemaPolicy }: Settings): DoctorCheck {
  const { ok, failed } = findingsOf("schemas");
  if (schemaPolicy === "off") return ok("La vérification par schéma est désactivée par réglage.");
  try {
    const { versions } = readSchemaSet(schemasDir);
    return ok(`Schémas présents pour interfaceNuu ${[...versions.keys()].join(" et ")}.`);
  } catch (error) {
    return failed(
      messageOf(error),
      `Remettez ${join(schemasDir, "schemas.json")} et ses fichiers.`,
    );
  }
}

/** The services beside the demandes: what they are for, and the setting of their address. */
const SNE_OTHERS = [
  ["rechercheDemande", "recherche", "GATEWAY_SNE_SEARCH_URL"],
  ["gestionPartageeEvt", "événements", "GATEWAY_SNE_EVENTS_URL"],
] as const satisfies readonly (readonly [SneService, string, string])[];

async function* checkSne(
  settings: Settings,
  clock: Clock,
  chance: Chance,
): AsyncGenerator<DoctorCheck> {
  const { ok, warning, failed } = findingsOf("sne");
  const { sneUrl: url, sneTlsCert, sneTlsKey, sneTlsPassphrase } = settings;
  if (url === undefined) {
    yield warning(
      "Aucune adresse du SNE n'est réglée : les flux sont gardés et attendent.",
      "Réglez GATEWAY_SNE_URL ; pour essayer sans le SNE : passerelle standin.",
    );
    return;
  }
  if (sneTlsCert !== undefined && sneTlsKey !== undefined) {
    yield await checkCertificate({
      id: "sneCertificate",
      use: "Certificat client présenté au SNE",
      certFile: sneTlsCert,
      keyFile: sneTlsKey,
      ...(sneTlsPassphrase === undefined ? {} : { passphrase: sneTlsPassphrase }),
      now: clock.now(),
    });
  }
  const advice = "Vérifiez GATEWAY_SNE_URL, le réseau et les certificats. Les flux sont gardés.";
  try {
    const registry = await buildRegistry({
      settings: { ...settings, sneTimeoutMs: REMOTE_MS, sneConnectTimeoutMs: REMOTE_MS },
      clock,
      chance,
      log: SILENT_LOG,
    });
    if (registry === undefined) return;
    try {
      const addresses = sneAddresses({ ...settings, sneUrl: url });
      const service = async (name: SneService) => ({
        address: addresses[name],
        seen: await registry.reachable(name, AbortSignal.timeout(REMOTE_MS)),
      });
      const demandes = await service("demandeLogement");
      yield demandes.seen.ok
        ? ok(`SNE (${url}) : ${demandes.seen.detail}.`)
        : failed(`SNE (${url}) : ${demandes.seen.detail}.`, advice);
      for (const [name, use, setting] of SNE_OTHERS) {
        const { address, seen } = await service(name);
        // Only those who use them need them, and their default address is inferred.
        yield seen.ok
          ? ok(`SNE, ${use} (${address}) : ${seen.detail}.`)
          : warning(`SNE, ${use} (${address}) : ${seen.detail}.`, `Vérifiez ${setting}.`);
      }
    } finally {
      await registry.stop();
    }
  } catch (error) {
    yield failed(`SNE (${url}) : ${messageOf(error)}.`, advice);
  }
}
