/**
 * Runs a program of a toolkit to its end and gives back what it said. It never outlives its time
 * limit, and runs at a low priority: what it is compared with shares the machine.
 */
import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** ms; 4 minutes unless told. */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const FOUR_MINUTES_MS = 240_000;

/** Resolves whatever the exit code; 127 when there is no such program, 124 when its time was over. */
export function runCommand(
  program: string,
  args: readonly string[],
  { cwd, env, timeoutMs = FOUR_MINUTES_MS }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn("nice", [program, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.on("data", (piece: Buffer) => out.push(piece));
    child.stderr.on("data", (piece: Buffer) => err.push(piece));
    const end = (code: number, more = ""): void => {
      clearTimeout(timer);
      resolve({
        code: late ? 124 : code,
        out: Buffer.concat(out).toString("utf8"),
        err: Buffer.concat(err).toString("utf8") + more,
      });
    };
    child.on("error", (error) => end(127, error.message));
    child.on("close", (code) => end(code ?? 1));
  });
}

/** The same, for what must succeed. @throws Error with the first and last lines it said */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, out, err } = await runCommand(program, args, options);
  if (code === 0) return out;
  // Some say why at the beginning (Maven), others at the end (compilers, pip).
  const lines = `${out}\n${err}`.trim().split("\n");
  const said = (lines.length > 12 ? [...lines.slice(0, 6), "…", ...lines.slice(-6)] : lines).join(
    "\n",
  );
  throw new Error(`${program} ${args[0] ?? ""}… ended with ${code}:\n${said}`);
}

/** True when the program is on this machine. */
export async function hasProgram(program: string): Promise<boolean> {
  return (await runCommand("sh", ["-c", `command -v ${program}`])).code === 0;
}
