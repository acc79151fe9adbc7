/**
 * The code lists of an edition: which codes an element may carry. They are data of the schemas
 * folder, never of the code; a code missing from them is told, and judged by nobody here: lists grow
 * with the years.
 */
import { XmlElement, type XmlDocument } from "libxml2-wasm";
import { lineageOf } from "./element-path.ts";

export interface CodeList {
  /**
   * Where it applies: `personneACharge/lienParente/@code` wherever that stands, `entete/typeFichier`
   * (a text) just below the root.
   */
  readonly paths: readonly string[];
  readonly codes: readonly string[];
}

/** An element whose code is in no list that applies to it. */
export interface StrayCode {
  readonly element: XmlElement;
  readonly onAttribute: boolean;
  readonly known: readonly string[];
}

/**
 * The lists of one file, by name. One that says `"verifie": false` is documentation only: it is
 * given empty, so that it can also switch off that of an earlier file.
 *
 * @throws Error in French when the file has another shape.
 */
export function readCodeLists(json: unknown): ReadonlyMap<string, CodeList> {
  const lists = isRecord(json) ? json["listes"] : undefined;
  if (!isRecord(lists)) throw new Error("« listes » y manque");
  return new Map(
    Object.entries(lists).map(([name, list]) => {
      const paths = isRecord(list) ? list["champs"] : undefined;
      const codes = isRecord(list) ? list["codes"] : undefined;
      if (!isRecord(list) || !Array.isArray(paths) || !isRecord(codes)) {
        throw new Error(`« champs » ou « codes » manque à la liste « ${name} »`);
      }
      const isChecked = list["verifie"] !== false;
      const given = isChecked ? paths.map(String) : [];
      return [name, { paths: given, codes: Object.keys(codes) }] as const;
    }),
  );
}

export type FindStrayCodes = (document: XmlDocument, most: number) => readonly StrayCode[];

/** One list at one of its places. */
interface Place {
  /** Names of elements, the last one carrying the code. */
  readonly trail: readonly string[];
  readonly codes: ReadonlySet<string>;
}

/**
 * A few calls into libxml2 per code of the document: about a third of what reading and validating it
 * takes.
 */
export function makeStrayCodeFinder(lists: readonly CodeList[]): FindStrayCodes {
  const onAttribute = new Map<string, Place[]>();
  const inText: (Place & { readonly xpath: string })[] = [];
  for (const { paths, codes } of lists) {
    for (const path of paths) {
      const trail = path.replace(/\/@code$/, "").split("/");
      const place = { trail, codes: new Set(codes) };
      const name = trail.at(-1) ?? "";
      if (path.endsWith("/@code")) onAttribute.set(name, [...(onAttribute.get(name) ?? []), place]);
      else {
        const steps = trail.map((step) => `/*[local-name()="${step}"]`).join("");
        inText.push({ ...place, xpath: `/*${steps}` });
      }
    }
  }

  /** The lists none of which holds the code; empty when all is well. */
  function missed(element: XmlElement, code: string): readonly Place[] {
    const places = onAttribute.get(element.name) ?? [];
    if (places.every(({ codes }) => codes.has(code))) return [];
    const lineage = lineageOf(element);
    const applying = places.filter(({ trail }) =>
      trail.every((name, i) => lineage[lineage.length - trail.length + i] === name),
    );
    return applying.some(({ codes }) => codes.has(code)) ? [] : applying;
  }

  return (document, most) => {
    const strays: StrayCode[] = [];
    const stray = (element: XmlElement, isAttribute: boolean, places: readonly Place[]): void => {
      const known = places.flatMap(({ codes }) => [...codes]).filter((code) => code !== "");
      if (known.length > 0) strays.push({ element, onAttribute: isAttribute, known });
    };
    for (const place of inText) {
      for (const element of document.find(place.xpath)) {
        if (!(element instanceof XmlElement) || place.codes.has(element.content.trim())) continue;
        stray(element, false, [place]);
      }
    }
    for (const attribute of document.find("//@code")) {
      if (strays.length >= most) break;
      const element = attribute.parent;
      if (element !== null) stray(element, true, missed(element, attribute.content));
    }
    return strays;
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
