/**
 * The process: hands the command line to its commands and turns signals into a clean stop. Nothing
 * of the gateway is decided here.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { runCli } from "./adapters/cli/run-cli.ts";
import { programVersion } from "./program-version.ts";
import { systemChance, systemClock } from "./runtime/clock.ts";

/** Resolves at the first signal; the second one ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        // The store survives this as it survives kill -9.
        if (asked) process.exit(130);
        asked = true;
        resolve(signal);
      });
    }
  });
}

// A third of the start is compiling modules: kept beside them, where only who may write the program
// may write (not in a temporary directory that others share). Where it cannot be written, none is.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url)));

const clock = systemClock();
const version = programVersion();
process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock,
  version,
  commands: {
    // Loaded only when asked for: a command that speaks REST answers in a third of the time.
    serve: async () => {
      const { serve } = await import("./serve.ts");
      return serve({
        environment: process.env,
        version,
        tell: (text) => void process.stderr.write(text),
        stopAsked: stopSignal(),
        leave: (code) => process.exit(code),
      });
    },
    standin: async (args) => (await import("./standin/standin-main.ts")).standinMain(args),
    doctor: async function* () {
      const { diagnose } = await import("./doctor.ts");
      yield* diagnose({ environment: process.env, clock, chance: systemChance() });
    },
    store: {
      copy: async function* (ends) {
        const { copyStores } = await import("./copy-stores.ts");
        const stop = new AbortController();
        void stopSignal().then(() => {
          stop.abort();
        });
        return yield* copyStores({
          ...{ ...ends, clock, chance: systemChance() },
          stopAsked: stop.signal,
        });
      },
      abandon: async (ends) => {
        const { abandonCopyOf } = await import("./copy-stores.ts");
        return abandonCopyOf({ ...ends, clock, chance: systemChance() });
      },
    },
  },
});
