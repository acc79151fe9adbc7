/**
 * Reads a folder of schemas: its manifest `schemas.json` and every XSD beside it. Nothing outside
 * the folder is ever read; a set that cannot serve is refused at start, with the reason.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gatewayError, messageOf } from "../../domain/errors.ts";

export interface SchemaSet {
  /** XSD file names by value of `interfaceNuu/@versionInterface`. */
  readonly versions: ReadonlyMap<string, string>;
  /** XSD file names of other documents: `listeDoublons`, `acquittement`. */
  readonly documents: ReadonlyMap<string, string>;
  /** The bytes of every XSD of the folder, by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** @throws INVALID_SETTING when the folder, its manifest or a file it names cannot be used. */
export function readSchemaSet(folder: string): SchemaSet {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "schemas.json"), "utf8"));
    if (!isRecord(manifest)) throw new Error("schemas.json n'est pas un objet");
    const files = new Map(
      readdirSync(folder)
        .filter((name) => name.endsWith(".xsd"))
        .map((name) => [name, readFileSync(join(folder, name))] as const),
    );
    return {
      versions: namesIn(manifest, "versionInterface", files),
      documents: namesIn(manifest, "documents", files),
      files,
    };
  } catch (error) {
    throw unusable(`${folder} : ${messageOf(error)}`, error);
  }
}

/** INVALID_SETTING, naming the setting that chooses the folder. */
export function unusable(detail: string, cause?: unknown): Error {
  return gatewayError("INVALID_SETTING", { env: "GATEWAY_SCHEMAS_DIR", detail }, cause);
}

function namesIn(
  manifest: Record<string, unknown>,
  key: string,
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, string> {
  const named = manifest[key] ?? {};
  if (!isRecord(named)) throw new Error(`« ${key} » de schemas.json n'est pas un objet`);
  return new Map(
    Object.entries(named).map(([name, file]) => {
      if (typeof file !== "string" || !files.has(file)) {
        throw new Error(`schemas.json nomme, pour « ${name} », un fichier absent du dossier`);
      }
      return [name, file];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
