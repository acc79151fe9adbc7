/** One finding of `doctor`: what was looked at, what was seen, what to do (capability F9). */
export interface DoctorCheck {
  /** Stable name, for programs: `settings`, `store`, `sne`… */
  readonly id: string;
  /** A warning leaves the gateway able to keep its promise; a failure does not, or not wholly. */
  readonly level: "ok" | "warning" | "failed";
  /** French sentence: what was found. */
  readonly text: string;
  /** French: what to do. */
  readonly advice?: string;
}

export interface Findings {
  readonly ok: (text: string) => DoctorCheck;
  readonly warning: (text: string, advice: string) => DoctorCheck;
  readonly failed: (text: string, advice: string) => DoctorCheck;
}

/** Makes findings of one subject. */
export function findingsOf(id: string): Findings {
  return {
    ok: (text) => ({ id, level: "ok", text }),
    warning: (text, advice) => ({ id, level: "warning", text, advice }),
    failed: (text, advice) => ({ id, level: "failed", text, advice }),
  };
}
