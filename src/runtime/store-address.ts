/**
 * Where a store is, as the settings write it: a path is an embedded SQLite database, `mongodb://` and
 * `mongodb+srv://` are MongoDB. Promise: what is shown of an address never holds a credential, however
 * the address is misspelt.
 */
import { resolve } from "node:path";

/** The name of GATEWAY_STORE among the stores: a guichet without `store` is kept in it. */
export const DEFAULT_STORE = "default";

export interface NamedStore {
  readonly name: string;
  readonly address: string;
}

export type StoreKind = "sqlite" | "mongodb";

/** Undefined for anything else that begins as a URL does, well written or not. */
export function storeKind(address: string): StoreKind | undefined {
  if (/^mongodb(\+srv)?:\/\//i.test(address)) return "mongodb";
  return SCHEME.test(address) ? undefined : "sqlite";
}

/** A file whose name begins so is written `./name:…`. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** The address as people may read it: no user, no password, no options. */
export function shownStore(address: string): string {
  if (storeKind(address) === "sqlite") return address;
  const [, scheme = "", rest] = /^(mongodb(?:\+srv)?):\/\/(.*)$/is.exec(address) ?? [];
  if (rest === undefined) return "…";
  const at = rest.lastIndexOf("@");
  const options = rest.indexOf("?");
  // A password with a bare `?`, or an option with a bare `@`: which one cannot be told.
  const isUnclear = options !== -1 && options < at;
  const where = rest.slice(at + 1).replace(/\?.*$/s, "");
  const host = String.raw`(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?`;
  const shape = new RegExp(`^${host}(?:,${host})*(?:/[^/@?#\\s]*)?$`, "i");
  return `${scheme}://${isUnclear || !shape.test(where) ? "…" : where}`;
}

export type PartitionsReading =
  | { readonly kind: "read"; readonly stores: readonly NamedStore[] }
  /** French; without any address. */
  | { readonly kind: "invalid"; readonly problem: string };

/** Reads `nord=mongodb://…;sud=/var/lib/passerelle/sud.db` (GATEWAY_STORE_PARTITIONS). */
export function readPartitions(text: string, defaultAddress: string): PartitionsReading {
  const stores: NamedStore[] = [];
  const invalid = (problem: string): PartitionsReading => ({ kind: "invalid", problem });
  const parts = text.split(";").map((part) => part.trim());
  for (const [index, part] of parts.entries()) {
    if (part === "") continue;
    const rank = `la ${index + 1}${index === 0 ? "re" : "e"} base`;
    const [, name, address] = /^([^=]*?)\s*=\s*(.*)$/s.exec(part) ?? [];
    if (name === undefined || address === undefined) {
      return invalid(`${rank} n'est pas écrite nom=adresse`);
    }
    // What is before the sign may be a piece of an address: only a name is ever shown.
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
      return invalid(`le nom de ${rank} doit compter des minuscules, des chiffres et des tirets`);
    }
    if (name === DEFAULT_STORE) {
      return invalid(`« ${DEFAULT_STORE} » est le nom de GATEWAY_STORE`);
    }
    if (address === "") return invalid(`la base « ${name} » n'a pas d'adresse`);
    if (storeKind(address) === undefined) return invalid(`« ${name} » : ${UNKNOWN_STORE}`);
    if (stores.some((store) => store.name === name)) {
      return invalid(`la base « ${name} » est nommée deux fois`);
    }
    const others = [{ name: DEFAULT_STORE, address: defaultAddress }, ...stores];
    const same = others.find((store) => placeOf(store.address) === placeOf(address));
    if (same !== undefined) {
      return invalid(`les bases « ${same.name} » et « ${name} » sont la même`);
    }
    stores.push({ name, address });
  }
  return { kind: "read", stores };
}

/** What a store address must be, in a sentence (French). */
export const UNKNOWN_STORE = "un chemin de fichier, mongodb:// ou mongodb+srv:// est attendu";

/** Two addresses of one place are alike: the same file, or the same servers and database. */
function placeOf(address: string): string {
  if (storeKind(address) !== "mongodb") return resolve(address);
  const [, scheme = "", rest = ""] = /^([^:]*):\/\/(.*)$/s.exec(address) ?? [];
  const [servers = "", database = "test"] = rest
    .slice(rest.lastIndexOf("@") + 1)
    .replace(/\?.*$/s, "")
    .split("/");
  const hosts = servers
    .toLowerCase()
    .split(",")
    .map((host) => (scheme.endsWith("srv") || /:\d+$/.test(host) ? host : `${host}:27017`));
  return `${hosts.sort().join(",")}/${database === "" ? "test" : database}`;
}
