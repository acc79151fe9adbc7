/**
 * Every WSDL and XSD we ship can be used: it compiles with the validator the gateway runs, it loads
 * in node-soap, and it lets a call of each operation through, as written and no other way.
 */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import soap from "soap";
import { readXmlTree } from "../../scripts/contract/xml-tree.ts";
import { fullInstances, type InstanceNode } from "../support/contract-instances.ts";
import { compileSchema } from "../support/xsd-compiler.ts";

const ROOT = join(import.meta.dirname, "../..");
const NAMESPACE = "http://ws.metier.nuu.application.i2/";

/** Operations in order, and the fields of a request, service by service. */
const SERVICES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DemandeLogement: {
    getNumUnique: "nomFichierDemande fichierDemande nomCertificat certificat complet",
    getDemandeLogement: "numUnique nomCertificat certificat complet",
    getDoublons: "nomFichierDemande fichierDemande",
    getDeclarationNouveauDalo: "nomFichierDalo fichierDalo nomCertificat certificat",
    getDemandesRadieesDepuisLe:
      "dateRadiationDepuisLe motifRadiation statutDalo typeReservataire nomCertificat certificat",
    getNouveauxDaloDepuisLe: "dateNouveauDaloDepuisLe nomCertificat certificat",
  },
  RechercheDemande: { rechercheDemandeMulticritere: "nomFichier fichierXml nomCertificat" },
  GestionPartageeEVT: {
    listerTypesEvenementsNationaux: "nomFichier fichierXml nomCertificat",
    listerTypesEvenementsTerritoriaux: "nomFichier fichierXml nomCertificat",
    listerEvenementsDemande: "nomFichier fichierXml nomCertificat",
    ajouterEvenementDemande: "nomFichier fichierXml nomCertificat",
    modifierEvenementDemande: "nomFichier fichierXml nomCertificat",
    supprimerEvenementDemande: "nomFichier fichierXml nomCertificat",
  },
};

/** What node-soap says of an operation. */
interface Described {
  readonly input: Readonly<Record<string, unknown>>;
}

describe("the documents of the contract", () => {
  for (const name of readdirSync(join(ROOT, "schemas")).filter((one) => one.endsWith(".xsd"))) {
    it(`schemas/${name} compiles, alone with what it includes`, () => {
      compileSchema(join(ROOT, "schemas", name));
    });
  }

  it("schemas/codes.json applies at places a demande has, each list once", () => {
    const { listes } = JSON.parse(readFileSync(join(ROOT, "schemas/codes.json"), "utf8")) as {
      listes: Record<string, { champs: readonly string[] }>;
    };
    const text = (name: string): string => readFileSync(join(ROOT, "schemas", name), "utf8");
    const demandes = fullInstances(readXmlTree(text("interfaceNuu-demande-02.01.xsd")), (name) =>
      readXmlTree(text(name)),
    );
    const places = new Set(demandes.flatMap(({ root }) => placesIn(root)));
    const paths = Object.values(listes).flatMap(({ champs }) => champs);
    assert.ok(paths.length > 25);
    assert.deepEqual(
      paths.filter((path) => ![...places].some((place) => place.endsWith(`/${path}`))),
      [],
    );
    assert.equal(new Set(paths).size, paths.length);
  });

  for (const [service, expected] of Object.entries(SERVICES)) {
    const path = join(ROOT, `wsdl/${service}.wsdl`);

    it(`wsdl/${service}.wsdl loads in node-soap, with its operations and their fields in order`, async () => {
      const client = await soap.createClientAsync(path);
      const described = client.describe() as Record<string, Record<string, object>>;
      const port = described[`${service}ImplService`]?.[`${service}ImplPort`] ?? {};
      const found = Object.entries(port as Record<string, Described>).map(([name, { input }]) => [
        name,
        Object.keys(input)
          .filter((key) => !/^target/.test(key))
          .join(" "),
      ]);
      assert.deepEqual(found, Object.entries(expected));
    });

    it(`the types of wsdl/${service}.wsdl compile, and take each request as written only`, () => {
      const verdict = compileSchema(path);
      for (const request of requestsOf(readFileSync(path, "utf8"), expected)) {
        assert.equal(verdict(request), undefined, request);
        const wrong: readonly (readonly [string | RegExp, string])[] = [
          [/<nomCertificat>.*<\/nomCertificat>|<nomFichierDemande>.*?<\/nomFichierDemande>/, ""],
          [/(<\w+>[^<]*<\/\w+>)(<[^<]*<\/\w+>)/, "$2$1"],
          ["</s:", "<autre/></s:"],
          [`"${NAMESPACE}"`, '"urn:autre"'],
          [/<(\/?)nom/g, "<$1s:nom"],
          [/<(fichier\w+|certificat) s:contentType="text\/xml">QQ==/, '<$1 s:contentType="x">QQ=='],
          [/QQ==/, "pas du base64 !"],
        ];
        for (const [from, to] of wrong) {
          const changed = request.replace(from, to);
          if (changed === request) continue;
          assert.notEqual(verdict(changed), undefined, `taken: ${changed}`);
        }
      }
    });
  }
});

/** Every element and every attribute, by the names that lead to it. */
function placesIn(node: InstanceNode, above = ""): string[] {
  const place = `${above}/${node.name}`;
  return [
    place,
    ...Object.keys(node.attributes).map((name) => `${place}/@${name}`),
    ...node.children.flatMap((child) => placesIn(child, place)),
  ];
}

/** One request per operation, every field given. */
function requestsOf(wsdl: string, operations: Readonly<Record<string, string>>): string[] {
  return Object.entries(operations).map(([operation, fields]) => {
    const [, message = ""] =
      new RegExp(`<operation name="${operation}">[\\s\\S]*?<input message="sne:(\\w+)"`).exec(
        wsdl,
      ) ?? [];
    const [, element = ""] =
      new RegExp(`<message name="${message}"><part name="parameters" element="sne:(\\w+)"`).exec(
        wsdl,
      ) ?? [];
    const inner = fields.split(" ").map((field) => {
      if (/^(fichier|certificat)/.test(field)) {
        return `<${field} s:contentType="text/xml">QQ==</${field}>`;
      }
      if (/^date/.test(field)) return `<${field}>2017-05-01T00:00:00.0+02:00</${field}>`;
      if (/^(motif|statut|type)/.test(field)) return `<${field} code="RADATT"></${field}>`;
      return `<${field}>texte</${field}>`;
    });
    return `<s:${element} xmlns:s="${NAMESPACE}">${inner.join("")}</s:${element}>`;
  });
}
