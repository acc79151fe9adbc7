/**
 * The load generator and the sink, one process: the same clock dates a mail taken and its acquittement
 * handed over. Told what to do over IPC (`load-protocol.ts`). A mail that is refused ends the measure:
 * figures are of mails taken, all of them.
 */
import type {
  ChainFigures,
  ChainLoad,
  FiguresOf,
  FromLoad,
  IntakeFigures,
  IntakeLoad,
  Load,
  PaceFigures,
  PaceLoad,
} from "./load-protocol.ts";
import { makeSampleMails } from "./sample-flows.ts";
import { connectSmtp } from "./smtp-client.ts";
import type { SmtpClient } from "./smtp-client.ts";
import { startSink } from "./smtp-sink.ts";
import { quantile } from "./statistics.ts";

/** Longest wait for the last acquittements of a measure, ms. */
const PATIENCE_MS = 30_000;

/** What is done at each acquittement, by the measure now running. */
let onAcquittement: (number: number, at: number) => void = () => undefined;
const sink = await startSink((number, at) => {
  if (number !== undefined) onAcquittement(number, at);
});
// Apart from those of a store filled without mail.
const nextMail = await makeSampleMails(500_000_000);

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function withClients<T>(
  port: number,
  connections: number,
  work: (clients: readonly SmtpClient[]) => Promise<T>,
): Promise<T> {
  const clients = await Promise.all(Array.from({ length: connections }, () => connectSmtp(port)));
  try {
    return await work(clients);
  } finally {
    for (const client of clients) client.close();
  }
}

function intake(load: IntakeLoad): Promise<IntakeFigures> {
  return withClients(load.port, load.connections, async (clients) => {
    const from = performance.now() + load.warmUpMs;
    const until = from + load.ms;
    const latencies: number[] = [];
    let mails = 0;
    await Promise.all(
      clients.map(async (client) => {
        while (performance.now() < until) {
          const { at, ms } = await client.send(nextMail().data);
          mails += 1;
          if (at >= from && at < until) latencies.push(ms);
        }
      }),
    );
    return {
      perSecond: (latencies.length * 1_000) / load.ms,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      mails,
    };
  });
}

function chain(load: ChainLoad): Promise<ChainFigures> {
  return withClients(load.port, load.connections, async (clients) => {
    const from = performance.now() + load.warmUpMs;
    const until = from + load.ms;
    const underWay = new Set<number>();
    const sentBefore = new Set<number>();
    const seconds = Array.from({ length: Math.ceil(load.ms / 1_000) }, () => 0);
    let counted = 0;
    let mails = 0;
    let twice = 0;
    let free: (() => void)[] = [];
    onAcquittement = (number, at) => {
      if (!underWay.delete(number)) twice += sentBefore.has(number) ? 1 : 0;
      if (at >= from && at < until) {
        counted += 1;
        const second = Math.floor((at - from) / 1_000);
        seconds[second] = (seconds[second] ?? 0) + 1;
      }
      free.shift()?.();
    };
    await Promise.all(
      clients.map(async (client) => {
        while (performance.now() < until) {
          if (underWay.size >= load.window) {
            await Promise.race([new Promise<void>((resolve) => free.push(resolve)), sleep(100)]);
            continue;
          }
          const mail = nextMail();
          underWay.add(mail.number);
          sentBefore.add(mail.number);
          await client.send(mail.data);
          mails += 1;
        }
      }),
    );
    free = [];
    await emptied(underWay);
    return {
      perSecond: (counted * 1_000) / load.ms,
      slowestSecond: Math.min(...seconds),
      mails,
      missing: underWay.size,
      twice,
    };
  });
}

function pace(load: PaceLoad): Promise<PaceFigures> {
  return withClients(load.port, load.connections, async (clients) => {
    const begun = performance.now();
    const from = begun + load.warmUpMs;
    const until = from + load.ms;
    const takenAt = new Map<number, number>();
    const toldAt = new Map<number, number>();
    const underWay = new Set<number>();
    onAcquittement = (number, at) => {
      toldAt.set(number, at);
      underWay.delete(number);
    };
    const idle = [...clients];
    const sending = new Set<Promise<void>>();
    for (let count = 0; performance.now() < until;) {
      const due = begun + (count * 1_000) / load.perSecond;
      const early = due - performance.now();
      if (early > 0) await sleep(early);
      const client = idle.shift();
      if (client === undefined) {
        // The pace is not held: the mails of the figures will say so.
        await sleep(1);
        continue;
      }
      count += 1;
      const mail = nextMail();
      underWay.add(mail.number);
      const sent = client.send(mail.data).then(({ at }) => {
        takenAt.set(mail.number, at);
        idle.push(client);
        sending.delete(sent);
      });
      sending.add(sent);
    }
    await Promise.all(sending);
    await emptied(underWay);
    const latencies = [...takenAt]
      .filter(([, at]) => at >= from)
      .flatMap(([number, at]) => {
        const told = toldAt.get(number);
        return told === undefined ? [] : [told - at];
      });
    return {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      mails: latencies.length,
      missing: underWay.size,
    };
  });
}

async function emptied(underWay: ReadonlySet<number>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (underWay.size > 0 && performance.now() < until) await sleep(20);
}

async function some(port: number, connections: number, mails: number): Promise<{ ms: number }> {
  return withClients(port, connections, async (clients) => {
    const begun = performance.now();
    let left = mails;
    await Promise.all(
      clients.map(async (client) => {
        while (left > 0) {
          left -= 1;
          await client.send(nextMail().data);
        }
      }),
    );
    return { ms: performance.now() - begun };
  });
}

async function drain(warmUpMs: number, ms: number): Promise<{ perSecond: number }> {
  let counted = 0;
  await sleep(warmUpMs);
  onAcquittement = () => {
    counted += 1;
  };
  await sleep(ms);
  return { perSecond: (counted * 1_000) / ms };
}

async function run(load: Load): Promise<FiguresOf[keyof FiguresOf]> {
  try {
    switch (load.kind) {
      case "intake":
        return await intake(load);
      case "chain":
        return await chain(load);
      case "pace":
        return await pace(load);
      case "some":
        return await some(load.port, load.connections, load.mails);
      case "drain":
        return await drain(load.warmUpMs, load.ms);
    }
  } finally {
    onAcquittement = () => undefined;
  }
}

function tell(message: FromLoad): void {
  process.send?.(message);
}

process.on("message", (load: Load) => {
  run(load).then(
    (figures) => tell({ kind: "figures", figures }),
    (error: unknown) => tell({ kind: "failed", reason: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
tell({ kind: "ready", sinkPort: sink.port });
