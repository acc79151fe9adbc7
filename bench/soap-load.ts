/** What the bench asks of its generator of SOAP calls, and what comes back. */

export interface SoapLoad {
  /** Of DemandeLogementImplService. */
  readonly url: string;
  /** Bearer key; a bare target looks at none. */
  readonly key: string;
  readonly connections: number;
  /** Of each demande. */
  readonly bytes: number;
  /** Calls begun a second; undefined: as fast as answers come. */
  readonly perSecond?: number;
  readonly warmUpMs: number;
  readonly ms: number;
}

/** Times in ms; paced, from when a call was to leave. */
export interface SoapFigures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}
