/**
 * Asks whether the mail server that carries acquittements takes our connection and our credentials:
 * greeting, STARTTLS where offered, AUTH. No mail is sent. For `doctor`, so it explains in French.
 */
import { createTransport } from "nodemailer";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import { safeSubject } from "../../domain/subject.ts";

/** @param timeoutMs - the longest each step may take, ms */
export async function askMailServer({
  transportUrl,
  hostName,
  timeoutMs,
}: {
  readonly transportUrl: string;
  /** Greets the server. */
  readonly hostName: string;
  readonly timeoutMs: number;
}): Promise<{ readonly ok: boolean; readonly detail: string }> {
  const transport = createTransport({
    url: transportUrl,
    name: hostName,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  try {
    await transport.verify();
    return { ok: true, detail: "connexion et identifiants acceptés" };
  } catch (error) {
    const code = systemCodeOf(error);
    const words = safeSubject(messageOf(error));
    return { ok: false, detail: code === undefined ? words : `${code}, ${words}` };
  } finally {
    transport.close();
  }
}
