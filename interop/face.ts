/**
 * What the toolkits are pointed at: the stand-in, a server of Apache CXF's, the gateway. A face is
 * addresses and credentials; the same caller runs against each.
 */
import type { SneService } from "../src/wire/sne-contract.ts";
import type { CallReport, PlannedCall } from "./call-lines.ts";
import type { WsdlSet } from "./wsdl-set.ts";

/** A call, and what it must come to. */
export interface ExpectedCall extends PlannedCall {
  /** `fault`: it is wrong on purpose, and its caller must be able to read why. */
  readonly expects: "answer" | "fault";
  /** Its file is no demande: a client that checks its files does not send it. */
  readonly unsendable?: true;
  /** @returns what is wrong with the report; undefined when all is as it should */
  readonly check: (report: CallReport) => string | undefined;
}

export interface Face {
  readonly name: string;
  readonly urls: Readonly<Record<SneService, string>>;
  /** The sets whose clients are worth running against it; all when absent. */
  readonly sets?: readonly WsdlSet["name"][];
  /** It answers MTOM even to a caller that sent none, as CXF with MTOM on does. */
  readonly alwaysMtom?: true;
  /** Basic, where it asks for it. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Mutual TLS, in place of clear HTTP: paths of PEM files, `host:port`. */
  readonly tls?: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly host: string;
  };
  /**
   * Prepares one run: files, and what must exist before.
   *
   * @param folder - for files, empty
   * @param run - another one for each run: nothing is the same twice
   */
  plan(folder: string, run: number): Promise<readonly ExpectedCall[]>;
  stop(): Promise<void>;
}
