/**
 * Are the ports free, or held by a gateway of ours? A port held by something else is why a start
 * would fail, and is told apart from a gateway that already runs.
 */
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { systemCodeOf, messageOf } from "../../domain/errors.ts";
import { findingsOf, type DoctorCheck } from "../../operate/doctor-check.ts";

const ANSWER_MS = 2_000;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Port of REST: ours when `/livez` answers as a gateway does. @param speaksTls - it is set to */
export async function checkHttpPort(place: Place, speaksTls: boolean): Promise<DoctorCheck> {
  return checkPort("http", "HTTP", "GATEWAY_HTTP_PORT", place, async () => {
    const host = reachableHost(place.host);
    const text = await (speaksTls
      ? getTls(`https://${host}:${place.port}/livez`)
      : getPlain(`http://${host}:${place.port}/livez`));
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && "alive" in body;
  });
}

async function getPlain(url: string): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return (await fetch(url, { signal, redirect: "manual" })).text();
}

/** Without judging the certificate: it names the machine as its callers do, not as we call it here. */
function getTls(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const asked = request(url, { rejectUnauthorized: false, agent: false, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Port of SMTP: ours when its greeting carries our host name. */
export async function checkSmtpPort(place: Place, hostName: string): Promise<DoctorCheck> {
  if (place.port < 0) return findingsOf("smtp").ok("Le récepteur SMTP est désactivé par réglage.");
  return checkPort("smtp", "SMTP", "GATEWAY_SMTP_PORT", place, async () =>
    (await readGreeting(place)).startsWith(`220 ${hostName}`),
  );
}

async function checkPort(
  id: string,
  protocol: string,
  setting: string,
  place: Place,
  isOurs: () => Promise<boolean>,
): Promise<DoctorCheck> {
  const { ok, failed } = findingsOf(id);
  const where = `${place.host}:${place.port}`;
  if (place.port === 0) return ok(`Port ${protocol} : n'importe lequel sera pris au démarrage.`);
  const refusal = await tryToListen(place);
  if (refusal === undefined) return ok(`Le port ${protocol} ${where} est libre.`);
  switch (systemCodeOf(refusal)) {
    case "EADDRINUSE":
      return (await isOurs().catch(() => false))
        ? ok(`Le port ${protocol} ${where} est tenu par une passerelle en service.`)
        : failed(
            `Le port ${protocol} ${where} est pris par un autre programme.`,
            `Arrêtez ce programme, ou choisissez un autre port : ${setting}.`,
          );
    case "EACCES":
      return failed(
        `Le port ${protocol} ${where} ne peut pas être ouvert : droits insuffisants.`,
        `Choisissez un port au-dessus de 1023 : ${setting}.`,
      );
    default:
      return failed(
        `L'adresse ${protocol} ${where} ne peut pas être ouverte : ${messageOf(refusal)}.`,
        `Vérifiez ${setting} et ${setting.replace("PORT", "HOST")}.`,
      );
  }
}

/** Listens and closes at once; the error when it could not. */
function tryToListen({ host, port }: Place): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function readGreeting({ host, port }: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: reachableHost(host), port });
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error("pas de réponse")));
    socket.once("error", reject);
    socket.once("data", (data) => {
      resolve(data.toString("latin1"));
      socket.end("QUIT\r\n");
    });
  });
}

/** "All addresses" is no address to connect to. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host;
}
