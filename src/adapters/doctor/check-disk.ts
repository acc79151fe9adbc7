/** Can the store be written where it is to be, is there room, and does the clock make sense there? */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import { findingsOf, type DoctorCheck } from "../../operate/doctor-check.ts";

const MEGABYTE = 1024 ** 2;
/** About a month's backlog of one register's writes, 10 KB each (sne-facts.md, section 7). */
const COMFORTABLE_BYTES = 4 * 1024 * MEGABYTE;
const LEAST_BYTES = 200 * MEGABYTE;
/** No version of this program is older: a clock before it is wrong. */
const FIRST_RELEASE = Date.UTC(2026, 0, 1);
/** A file may be dated a little ahead (network clocks), ms. */
const SKEW_MS = 60_000;

export function checkDisk(store: string): DoctorCheck[] {
  const folder = nearestFolder(resolve(store));
  const disk = findingsOf("disk");
  for (const path of [folder, store].filter((one) => existsSync(one))) {
    if (isWritable(path)) continue;
    return [
      findingsOf("store").failed(
        `${path} n'est pas accessible en écriture.`,
        "Donnez les droits d'écriture au compte de la passerelle, ou changez GATEWAY_STORE.",
      ),
    ];
  }
  try {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const text = `Place libre pour la base : ${Math.floor(free / MEGABYTE)} Mo.`;
    const advice =
      "Libérez de la place : disque plein, la passerelle refuse poliment et ne perd rien.";
    if (free < LEAST_BYTES) return [disk.failed(text, advice)];
    return [free < COMFORTABLE_BYTES ? disk.warning(text, advice) : disk.ok(text)];
  } catch (error) {
    return [
      disk.warning(
        `La place libre n'a pas pu être lue (${systemCodeOf(error) ?? messageOf(error)}).`,
        "Vérifiez-la autrement.",
      ),
    ];
  }
}

/** @param now - ms since the epoch */
export function checkClock(store: string, now: number): DoctorCheck {
  const { ok, warning, failed } = findingsOf("clock");
  const shown = new Date(now).toISOString();
  const advice = "Synchronisez l'horloge (NTP) : délais, reprises et preuves en dépendent.";
  if (now < FIRST_RELEASE) return failed(`L'horloge est fausse : ${shown}.`, advice);
  const written = existsSync(store) ? statSync(store).mtimeMs : 0;
  if (written > now + SKEW_MS) {
    return warning(`L'horloge a reculé : la base a été écrite après ${shown}.`, advice);
  }
  return ok(`L'horloge est plausible : ${shown}.`);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The folder of a path, or the nearest above it that exists: the rest is made at start. */
function nearestFolder(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) || folder === path ? folder : nearestFolder(folder);
}
