/** What every command is given, and the exit codes they all keep to. */
import type { Clock } from "../../runtime/clock.ts";
import type { GatewayClient } from "./gateway-client.ts";
import type { Readable } from "./readable.ts";
import type { Terminal } from "./terminal.ts";

export const EXIT = {
  ok: 0,
  /** A clear answer that is no: refused, not balanced, a check failed, not acknowledged in time. */
  negative: 1,
  /** The command line itself is not right. */
  usage: 2,
  /** No gateway answers. */
  unreachable: 3,
} as const;

export interface CliContext {
  readonly terminal: Terminal;
  readonly readable: Readable;
  /** Made for the address and key of this call; throws a UsageError when they cannot be. */
  readonly client: GatewayClient;
  readonly wantsJson: boolean;
  readonly clock: Clock;
}

/** A command line that is not right, told in French. Ends the program with `EXIT.usage`. */
export class UsageError extends Error {
  readonly advice: string | undefined;

  constructor(message: string, advice?: string) {
    super(message);
    this.name = "UsageError";
    this.advice = advice;
  }
}
