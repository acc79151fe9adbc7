/**
 * What only shows when guichets are read side by side: a code or a key given twice, a drop folder
 * that is also somebody's. One mail sender in several guichets is no mistake: an organisation may
 * hold several, and the file then says which.
 */
import { sep } from "node:path";
import type { Guichet } from "../../domain/guichet.ts";
import type { ProblemSink, Value } from "./json-tree.ts";

/** A guichet read, and where, for what only shows beside the others. */
export interface PlacedGuichet {
  readonly guichet: Guichet;
  readonly at: Value;
}

export function checkTogether(placed: readonly PlacedGuichet[], sink: ProblemSink): void {
  checkOnce(
    placed,
    "code",
    sink,
    (code) => `Le code « ${code} » est déjà celui d'un autre guichet.`,
  );
  checkOnce(placed, "apiKeySha256", sink, () => "Cette clé est déjà celle d'un autre guichet.");
  checkOnce(
    placed,
    "certificateSubject",
    sink,
    () => "Ce sujet de certificat est déjà celui d'un autre guichet.",
  );
  checkCertificates(placed, sink);
  checkFolders(placed, sink);
}

function checkOnce(
  placed: readonly PlacedGuichet[],
  name: "code" | "apiKeySha256" | "certificateSubject",
  sink: ProblemSink,
  message: (value: string) => string,
): void {
  const seen = new Set<string>();
  for (const { guichet, at } of placed) {
    const value = guichet[name];
    if (value === undefined || value === "") continue;
    // Codes too are compared without case: file names carry them in capitals.
    if (seen.has(value.toLowerCase())) sink(placeOf(at, name), message(value));
    seen.add(value.toLowerCase());
  }
}

/** One certificate is one guichet: a caller is never two. */
function checkCertificates(placed: readonly PlacedGuichet[], sink: ProblemSink): void {
  const owners = new Map<string, Guichet>();
  for (const { guichet, at } of placed) {
    guichet.certificates?.forEach((fingerprint) => {
      const owner = owners.get(fingerprint);
      if (owner !== undefined) {
        const message = `Un certificat de cette liste est déjà celui du guichet « ${owner.code} ».`;
        sink(placeOf(at, "certificates"), message);
      }
      owners.set(fingerprint, guichet);
    });
  }
}

/**
 * A drop folder holds nothing but what its guichet drops: were it, or a folder inside it, also a
 * return folder, the gateway would take its own acquittements for fluxes. Return folders may be
 * shared: names there never collide.
 */
function checkFolders(placed: readonly PlacedGuichet[], sink: ProblemSink): void {
  const all = placed.flatMap(({ guichet, at }) =>
    guichet.folders === undefined
      ? []
      : (["drop", "return"] as const).map((use) => ({
          use,
          path: guichet.folders?.[use] ?? "",
          code: guichet.code,
          at: placeOf(at, "folders", use),
        })),
  );
  all.forEach((one, index) => {
    for (const other of all.slice(0, index)) {
      if (one.use === "return" && other.use === "return") continue;
      const relation =
        one.path === other.path
          ? "est aussi"
          : isInside(one.path, other.path)
            ? "est dans"
            : isInside(other.path, one.path)
              ? "contient"
              : undefined;
      if (relation === undefined) continue;
      const use = other.use === "drop" ? "dépôt" : "retour";
      sink(one.at, `Ce dossier ${relation} le dossier de ${use} du guichet « ${other.code} ».`);
    }
  });
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The value of a property, or the object when it is not there. */
function placeOf(object: Value, ...names: readonly string[]): Value {
  let place = object;
  for (const name of names) {
    place = place.properties?.find((property) => property.name === name)?.value ?? place;
  }
  return place;
}
