/**
 * Time this thread itself spent, for tests that a piece of code is linear: a machine that is busy with
 * something else lengthens the hours, not the work.
 *
 * @returns ms of processor, user and system, since the process began
 */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
