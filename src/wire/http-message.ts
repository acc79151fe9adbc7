/** A request and its answer over HTTP, in no framework's words: what SOAP endpoints are made of. */

export interface HttpCall {
  /** Names in lower case; of repeated ones the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** Address of the other end of the connection. */
  readonly remoteAddress?: string;
  /** Aborted when the caller has left before its answer. */
  readonly gone: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Called once the whole answer was handed to the network, never when the caller left before. */
  readonly sent?: () => Promise<void>;
}
