/**
 * Reads a folder of schemas: its manifest `schemas.json` and every XSD beside it. Nothing outside
 * the folder is ever read; a set that cannot serve is refused at start, with the reason.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gatewayError, messageOf } from "../../domain/errors.ts";
import { readCodeLists, type CodeList } from "./code-lists.ts";

export interface SchemaSet {
  /** XSD file names by value of `interfaceNuu/@versionInterface`. */
  readonly versions: ReadonlyMap<string, string>;
  /**
   * XSD file names of other documents by value of `@versionInterface`; under "" for a document that
   * says no version: `listeDoublons`, `acquittement`.
   */
  readonly documents: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What a demande's codes may be; a later file of the manifest replaces the lists it names. */
  readonly codeLists: readonly CodeList[];
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
      versions: namesIn(manifest["versionInterface"] ?? {}, "versionInterface", files),
      documents: documentsIn(manifest["documents"] ?? {}, files),
      codeLists: codeListsIn(folder, manifest["codes"] ?? []),
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

function documentsIn(
  named: unknown,
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, ReadonlyMap<string, string>> {
  if (!isRecord(named)) throw new Error("« documents » de schemas.json n'est pas un objet");
  return new Map(
    Object.entries(named).map(([name, file]) => {
      const versions = typeof file === "string" ? { "": file } : file;
      return [name, namesIn(versions, `documents/${name}`, files)];
    }),
  );
}

function namesIn(
  named: unknown,
  key: string,
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, string> {
  if (!isRecord(named)) throw new Error(`« ${key} » de schemas.json n'est pas un objet`);
  return new Map(
    Object.entries(named).map(([name, file]) => {
      if (typeof file !== "string" || !files.has(file)) {
        throw new Error(
          `schemas.json nomme, pour « ${name || key} », un fichier absent du dossier`,
        );
      }
      return [name, file];
    }),
  );
}

function codeListsIn(folder: string, names: unknown): readonly CodeList[] {
  if (!Array.isArray(names)) throw new Error("« codes » de schemas.json n'est pas une liste");
  const lists = new Map<string, CodeList>();
  for (const name of names) {
    if (typeof name !== "string" || !readdirSync(folder).includes(name)) {
      throw new Error(`schemas.json nomme, dans « codes », un fichier absent du dossier`);
    }
    try {
      const json: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
      for (const [list, codes] of readCodeLists(json)) lists.set(list, codes);
    } catch (error) {
      throw new Error(`${name} : ${messageOf(error)}`, { cause: error });
    }
  }
  return [...lists.values()];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
