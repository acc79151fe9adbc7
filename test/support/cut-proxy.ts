/**
 * A network that can fail, between a client and a server on this machine: cut (connections reset, new
 * ones too), silent (packets vanish, nothing is told), slow each way; then restored.
 *
 * What a silent network holds is not lost: it comes late, in order, when the network is restored, as
 * TCP's own retransmissions do. Silence of one way only makes the worst case of all: the request is
 * done and its answer never comes.
 *
 * Faults are for everyone, or for the connections of one party, told by the first bytes it sends
 * (`partyOf`): how a client is cut from a server whose peers still reach it by the same port.
 */
import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** `up`: from the client to the server. */
export type Way = "up" | "down";

export interface CutProxy {
  readonly port: number;
  /** Resets connections, and every new one at once, until restored. */
  cut(fault?: { readonly of?: string }): void;
  /** Lets nothing more through; connections stay, and can be made. Both ways unless one is named. */
  silence(fault?: { readonly of?: string; readonly way?: Way }): void;
  /** Delays what passes, ms. */
  delay(fault: { readonly of?: string; readonly upMs?: number; readonly downMs?: number }): void;
  /** Ends the faults of one party, or all; what was held back passes. */
  restore(fault?: { readonly of?: string }): void;
  /** Connections open now: the parties they belong to (undefined: not known yet). */
  readonly parties: readonly (string | undefined)[];
  /** Closes; may be called twice. */
  stop(): Promise<void>;
}

export interface CutProxyOptions {
  /** Where the server listens, on 127.0.0.1. */
  readonly to: number;
  /** The port to listen on; a free one when absent. */
  readonly port?: number;
  /** Names the party of a connection by all it has sent so far; undefined: not enough yet. */
  readonly partyOf?: (sent: Buffer) => string | undefined;
}

interface Faults {
  cut: boolean;
  silent: { up: boolean; down: boolean };
  delayMs: { up: number; down: number };
}

interface Connection {
  party: string | undefined;
  /** Sends what may pass now. */
  flush(): void;
  reset(): void;
}

/** More than this held back in one way stops the reading of it, bytes. */
const HOLD_AT_MOST = 1_048_576;
/** The party of all connections, when none is named. */
const EVERYONE = "*";

export async function startCutProxy(options: CutProxyOptions): Promise<CutProxy> {
  const { to, partyOf = () => EVERYONE } = options;
  const faults = new Map<string, Faults>();
  const connections = new Set<Connection>();
  let stopped: Promise<void> | undefined;

  function faultsOf(party: string): Faults {
    const known = faults.get(party) ?? {
      cut: false,
      silent: { up: false, down: false },
      delayMs: { up: 0, down: 0 },
    };
    faults.set(party, known);
    return known;
  }
  function faultsOn(connection: Connection): readonly Faults[] {
    const { party } = connection;
    const all = faultsOf(EVERYONE);
    return party === undefined ? [all] : [all, faultsOf(party)];
  }
  const isCut = (connection: Connection): boolean => faultsOn(connection).some(({ cut }) => cut);

  function take(client: Socket): void {
    const server = connect({ port: to, host: "127.0.0.1", allowHalfOpen: true });
    let sent = Buffer.alloc(0);
    const connection: Connection = {
      party: partyOf(sent),
      flush: () => {
        up.flush();
        down.flush();
      },
      reset: () => {
        connections.delete(connection);
        up.end();
        down.end();
        breakOff(client);
        breakOff(server);
      },
    };
    const limits = (way: Way): PipeLimits => ({
      isSilent: () => faultsOn(connection).some(({ silent }) => silent[way]),
      delayMs: () => faultsOn(connection).reduce((sum, { delayMs }) => sum + delayMs[way], 0),
    });
    const up = makePipe(client, server, limits("up"));
    const down = makePipe(server, client, limits("down"));
    connections.add(connection);
    client.on("data", (bytes: Buffer) => {
      if (connection.party !== undefined) return;
      sent = Buffer.concat([sent, bytes]);
      connection.party = partyOf(sent);
      if (isCut(connection)) connection.reset();
    });
    // Listens after the party is known: what a party may not send is never sent.
    up.start();
    down.start();
    const forget = (): void => {
      if (client.destroyed && server.destroyed) connections.delete(connection);
    };
    client.on("close", forget);
    server.on("close", forget);
    if (isCut(connection)) connection.reset();
  }

  const listener = createServer({ allowHalfOpen: true }, take);
  await new Promise<void>((resolve, reject) => {
    listener.on("error", reject);
    listener.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const flushAll = (): void => {
    for (const connection of connections) connection.flush();
  };
  return {
    port: (listener.address() as AddressInfo).port,
    cut: ({ of = EVERYONE } = {}) => {
      faultsOf(of).cut = true;
      for (const connection of [...connections]) if (isCut(connection)) connection.reset();
    },
    silence: ({ of = EVERYONE, way } = {}) => {
      const { silent } = faultsOf(of);
      if (way !== "down") silent.up = true;
      if (way !== "up") silent.down = true;
    },
    delay: ({ of = EVERYONE, upMs = 0, downMs = 0 }) => {
      faultsOf(of).delayMs = { up: upMs, down: downMs };
    },
    restore: ({ of } = {}) => {
      if (of === undefined) faults.clear();
      else faults.delete(of);
      flushAll();
    },
    get parties() {
      return [...connections].map(({ party }) => party);
    },
    stop: () => {
      stopped ??= new Promise((resolve) => {
        listener.close(() => resolve());
        for (const connection of [...connections]) connection.reset();
      });
      return stopped;
    },
  };
}

interface PipeLimits {
  readonly isSilent: () => boolean;
  readonly delayMs: () => number;
}

/**
 * One way of a connection: holds what may not pass yet, in order. That the sender has finished, or
 * has broken off, is told the other side in its turn: a silent network hides that too.
 */
function makePipe(
  from: Socket,
  to: Socket,
  { isSilent, delayMs }: PipeLimits,
): { readonly start: () => void; readonly flush: () => void; readonly end: () => void } {
  const held: { readonly what: Buffer | "finished" | "broken"; readonly dueAt: number }[] = [];
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  function pass(what: Buffer | "finished" | "broken"): void {
    if (what === "finished") to.end();
    else if (what === "broken") breakOff(to);
    else {
      heldBytes -= what.length;
      to.write(what);
    }
  }
  function flush(): void {
    clearTimeout(timer);
    if (isOver || isSilent()) return;
    const now = performance.now();
    for (let next = held[0]; next !== undefined; next = held[0]) {
      if (next.dueAt > now) {
        timer = setTimeout(flush, next.dueAt - now);
        break;
      }
      held.shift();
      pass(next.what);
    }
    if (heldBytes < HOLD_AT_MOST && !to.writableNeedDrain) from.resume();
  }
  function hold(what: Buffer | "finished" | "broken"): void {
    if (isOver) return;
    held.push({ what, dueAt: performance.now() + delayMs() });
    if (typeof what !== "string") heldBytes += what.length;
    flush();
    if (heldBytes >= HOLD_AT_MOST || to.writableNeedDrain) from.pause();
  }

  return {
    start: () => {
      from.on("data", hold);
      from.on("end", () => hold("finished"));
      from.on("error", () => hold("broken"));
      to.on("drain", flush);
    },
    flush,
    end: () => {
      clearTimeout(timer);
      isOver = true;
    },
  };
}

/**
 * Ends a connection by a reset. Not while its end is being sent: Node 24 then neither resets nor
 * closes the socket, and the whole process spins for ever when it should end.
 */
function breakOff(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
