/** Speaks HTTP by hand on a bare socket: what no well-behaved client can be made to send. */
import { connect, type Socket } from "node:net";

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export interface RawConnection {
  readonly socket: Socket;
  /** All that came until the other side closed. */
  readonly closed: Promise<string>;
}

export function openRaw(port: number): RawConnection {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => (text += chunk));
  // A reset is one of the ways an answer ends; what came before it is what counts.
  socket.on("error", () => undefined);
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(text)));
  return { socket, closed };
}

/** Sends these bytes, and reads the last answer when the server closes. */
export async function sendRaw(port: number, text: string | Buffer): Promise<RawAnswer> {
  const { socket, closed } = openRaw(port);
  socket.write(text);
  return readRaw(await closed);
}

/** The first answer of what came. */
export function readRaw(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end < 0 ? undefined : end);
  const body = end < 0 ? "" : text.slice(end + 4);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body };
}
