/**
 * One SMTP connection of the load generator, kept open from mail to mail: RSET, MAIL, RCPT, DATA, each
 * waiting for its reply, as most landlords' mailers do. As little work as can be, so that the
 * processor time goes to what is measured.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { BENCH_RECIPIENT, BENCH_SENDER } from "./sample-flows.ts";

export interface SmtpClient {
  /** Sends one mail; rejects when it is not taken. */
  send(data: Buffer): Promise<Taken>;
  close(): void;
}

export interface Taken {
  /** When the 250 came (`performance.now()`), ms. */
  readonly at: number;
  /** From the writing of the mail with its dot to the 250, ms. */
  readonly ms: number;
}

export async function connectSmtp(port: number): Promise<SmtpClient> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let buffered = "";
  let waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  let failure: Error | undefined;

  const fail = (error: Error): void => {
    failure ??= error;
    waiting?.reject(failure);
    waiting = undefined;
  };
  socket.on("data", (chunk: Buffer) => {
    buffered += chunk.toString("latin1");
    if (waiting === undefined || !buffered.endsWith("\r\n")) return;
    const lastLine = buffered.slice(buffered.lastIndexOf("\n", buffered.length - 2) + 1);
    if (lastLine[3] === "-") return;
    buffered = "";
    const { resolve } = waiting;
    waiting = undefined;
    resolve(lastLine);
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));

  function reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (failure === undefined) waiting = { resolve, reject };
      else reject(failure);
    });
  }

  async function say(what: string | Buffer, expected: string): Promise<void> {
    const answered = reply();
    socket.write(what);
    const line = await answered;
    if (!line.startsWith(expected)) throw new Error(`the server answered: ${line.trim()}`);
  }

  const greeted = reply();
  await once(socket, "connect");
  await greeted;
  await say("EHLO bailleur.test\r\n", "250");

  return {
    send: async (data) => {
      await say("RSET\r\n", "250");
      await say(`MAIL FROM:<${BENCH_SENDER}>\r\n`, "250");
      await say(`RCPT TO:<${BENCH_RECIPIENT}>\r\n`, "250");
      await say("DATA\r\n", "354");
      const begun = performance.now();
      await say(data, "250");
      const at = performance.now();
      return { at, ms: at - begun };
    },
    close: () => {
      socket.removeAllListeners("close");
      socket.destroy();
    },
  };
}
