/**
 * An outbox that fails when it is told to: before an operation (nothing was written), after it (it was
 * written, and nobody is told), or late (it answers when it is let). Everything else is the real store.
 */
import { gatewayError } from "../../src/domain/errors.ts";
import type { Outbox } from "../../src/keep/outbox.ts";

export type Fault = "before" | "after" | "late" | undefined;

export interface FaultyOutbox {
  readonly outbox: Outbox;
  /** What happens to each operation from now on. */
  plan(fault: (operation: keyof Outbox) => Fault): void;
  /** Every operation but `stop` fails, as a server that is not there. */
  goDown(): void;
  /** Nothing fails any more, and what was late answers. */
  recover(): void;
  /** The operations asked since the last plan, those that failed too. */
  readonly asked: readonly (keyof Outbox)[];
}

export function makeFaultyOutbox(real: Outbox): FaultyOutbox {
  let faultOf: (operation: keyof Outbox) => Fault = () => undefined;
  let asked: (keyof Outbox)[] = [];
  let late = Promise.withResolvers<undefined>();

  function gated<A extends readonly unknown[], R>(
    name: keyof Outbox,
    operation: (...args: A) => Promise<R>,
  ): (...args: A) => Promise<R> {
    return async (...args) => {
      asked.push(name);
      const fault = faultOf(name);
      if (fault === "before") throw gatewayError("STORE_UNAVAILABLE");
      const wait = late.promise;
      const result = await operation(...args);
      if (fault === "after") throw gatewayError("STORE_UNAVAILABLE");
      if (fault === "late") await wait;
      return result;
    };
  }

  const outbox = new Proxy(real, {
    get: (target, key: keyof Outbox) => {
      const operations = target as unknown as Record<
        string,
        (...args: unknown[]) => Promise<unknown>
      >;
      const bound = (...args: unknown[]) => operations[key]?.(...args) ?? Promise.resolve();
      return key === "watch" || key === "stop" ? bound : gated(key, bound);
    },
  });
  return {
    outbox,
    plan: (fault) => {
      faultOf = fault;
      asked = [];
    },
    goDown: () => {
      faultOf = () => "before";
    },
    recover: () => {
      faultOf = () => undefined;
      late.resolve(undefined);
      late = Promise.withResolvers();
    },
    get asked() {
      return asked;
    },
  };
}
