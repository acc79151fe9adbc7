/** What the bench asks of its load generator (a process of its own), and what comes back. */

export interface IntakeLoad {
  readonly kind: "intake";
  readonly port: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly ms: number;
}

export interface IntakeFigures {
  readonly perSecond: number;
  /** From the dot to the 250, ms. */
  readonly p50: number;
  readonly p99: number;
  /** All mails taken, warm-up included. */
  readonly mails: number;
}

/** Mails sent as fast as acquittements come back: never more than `window` fluxes under way. */
export interface ChainLoad {
  readonly kind: "chain";
  readonly port: number;
  readonly connections: number;
  readonly window: number;
  readonly warmUpMs: number;
  readonly ms: number;
}

export interface ChainFigures {
  /** Acquittements that reached the sink. */
  readonly perSecond: number;
  /** The slowest second. */
  readonly slowestSecond: number;
  readonly mails: number;
  /** Mails taken whose acquittement never came. */
  readonly missing: number;
  /** Acquittements that came twice. */
  readonly twice: number;
}

/** Mails sent at a steady pace, whatever comes back. */
export interface PaceLoad {
  readonly kind: "pace";
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly warmUpMs: number;
  readonly ms: number;
}

export interface PaceFigures {
  /** From the 250 to the acquittement whole at the sink, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly mails: number;
  readonly missing: number;
}

/** A number of mails, once. */
export interface SomeLoad {
  readonly kind: "some";
  readonly port: number;
  readonly connections: number;
  readonly mails: number;
}

/** Acquittements that come back for fluxes nobody sends now (a backlog being drained). */
export interface DrainLoad {
  readonly kind: "drain";
  readonly warmUpMs: number;
  readonly ms: number;
}

export type Load = IntakeLoad | ChainLoad | PaceLoad | SomeLoad | DrainLoad;
export interface FiguresOf {
  readonly intake: IntakeFigures;
  readonly chain: ChainFigures;
  readonly pace: PaceFigures;
  readonly some: { readonly ms: number };
  readonly drain: { readonly perSecond: number };
}

export type FromLoad =
  | { readonly kind: "ready"; readonly sinkPort: number }
  | { readonly kind: "figures"; readonly figures: FiguresOf[keyof FiguresOf] }
  | { readonly kind: "failed"; readonly reason: string };
