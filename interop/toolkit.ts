/** A third-party SOAP toolkit: how it is had, what it can do, and a program of it that makes calls. */
import type { SneOperation } from "../src/domain/sne-operation.ts";
import type { CallReport } from "./call-lines.ts";
import type { CommandResult } from "./run-command.ts";
import type { WsdlSet } from "./wsdl-set.ts";

export interface Toolkit {
  readonly name: string;
  /** How it sends its files. `answers`: base64 out, MTOM understood in what comes back. */
  readonly framings: readonly Framing[];
  /** What it can call; all thirteen when absent. */
  readonly operations?: readonly SneOperation[];
  /** It speaks over mutual TLS only. */
  readonly tlsOnly?: true;
  /** It checks its files against a schema, and does not send what is wrong. */
  readonly checksFiles?: true;
  /** It does not hand attestations over. */
  readonly noAttestation?: true;
  /**
   * A fault of the toolkit's own in reading MTOM answers, known and not ours to mend; asked only where
   * the server answers MTOM to whoever calls.
   *
   * @returns which one explains the complaint
   */
  readonly limitOf?: (report: CallReport, complaint: string) => string | undefined;
  /** It is made from no WSDL. */
  readonly noWsdl?: true;
  /** Never rejects: what cannot be had is said with its reason. */
  prepare(): Promise<Prepared>;
}

export type Framing = "mtom" | "base64";

export type Prepared =
  | { readonly kind: "absent"; readonly why: string }
  | {
      readonly kind: "ready";
      readonly version: string;
      /**
       * Generates and compiles, or finds in the cache, the caller of a set.
       * @returns runs it on a job (call-lines.ts)
       */
      makeCaller(set: WsdlSet): Promise<(jobFile: string) => Promise<CommandResult>>;
    };

/** Turns a failure to install into a reason. */
export async function absentUnless(prepare: () => Promise<Prepared>): Promise<Prepared> {
  try {
    return await prepare();
  } catch (error) {
    return { kind: "absent", why: error instanceof Error ? error.message : String(error) };
  }
}
