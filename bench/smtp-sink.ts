/**
 * Where acquittements end: an SMTP server that counts mails, reads which flux each answers, and keeps
 * nothing. A few lines on a socket rather than smtp-server, so that the sink takes as little as it can
 * of the processors shared with what is measured.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { numberIn } from "./sample-flows.ts";

export interface SmtpSink {
  readonly port: number;
  close(): void;
}

const END = Buffer.from("\r\n.\r\n");
/** The header of an acquittement stands well within it. */
const HEAD_BYTES = 8_192;

/** @param onMail - told each mail once its final dot is there, with the time (`performance.now()`) */
export async function startSink(
  onMail: (number: number | undefined, at: number) => void,
): Promise<SmtpSink> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let commands = "";
    /** Undefined while commands are read. */
    let mail: { head: Buffer; tail: Buffer } | undefined;

    const readData = (chunk: Buffer): void => {
      if (mail === undefined) return;
      if (mail.head.length < HEAD_BYTES) mail.head = Buffer.concat([mail.head, chunk]);
      const end = Buffer.concat([mail.tail, chunk.subarray(-END.length)]).subarray(-END.length);
      mail.tail = end;
      // Nobody pipelines behind a mail here: its end is the end of what came.
      if (!end.equals(END)) return;
      const number = numberIn(mail.head, "In-Reply-To");
      mail = undefined;
      onMail(number, performance.now());
      socket.write("250 taken\r\n");
    };
    const readCommands = (chunk: Buffer): void => {
      commands += chunk.toString("latin1");
      for (let at = commands.indexOf("\r\n"); at >= 0; at = commands.indexOf("\r\n")) {
        const verb = commands.slice(0, 4).toUpperCase();
        commands = commands.slice(at + 2);
        if (verb === "DATA") {
          mail = { head: Buffer.alloc(0), tail: Buffer.alloc(0) };
          socket.write("354 go on\r\n");
        } else if (verb === "QUIT") socket.end("221 bye\r\n");
        else socket.write("250 fine\r\n");
      }
    };
    socket.on("data", (chunk) => {
      if (mail === undefined) readCommands(chunk);
      else readData(chunk);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.write("220 sink\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
