/** Which operation a request calls is told by its element or its action, and never guessed. */
import assert from "node:assert/strict";
import { matchOperation } from "../../src/adapters/soap/match-operation.ts";
import { readSoapRequest } from "../../src/adapters/soap/read-soap-request.ts";
import { SNE_NAMESPACE, SNE_OPERATIONS } from "../../src/wire/sne-contract.ts";
import { envelopeCall, httpCall, packageCall, SOAP11, SOAP12 } from "../support/soap-framings.ts";
import type { RawCall } from "../support/standin-calls.ts";

const candidates = SNE_OPERATIONS.map(({ name, service, request }) => ({
  name,
  service,
  namespace: SNE_NAMESPACE,
  element: request,
  action: `${SNE_NAMESPACE}${name}`,
}));
const EVENTS = candidates.filter(({ service }) => service === "gestionPartageeEvt");
const DEMANDES = candidates.filter(({ service }) => service === "demandeLogement");

const SUPPRIMER = `${SNE_NAMESPACE}supprimerEvenementDemande`;
const AJOUTER = `${SNE_NAMESPACE}ajouterEvenementDemande`;

function match(call: RawCall, among = EVENTS) {
  const reading = readSoapRequest(httpCall(call));
  assert.ok(reading.kind === "request", JSON.stringify(reading));
  const matched = matchOperation(reading.request, among);
  return matched.kind === "operation" ? matched.operation.name : matched.fault;
}

function faultOf(call: RawCall, among = EVENTS): string {
  const fault = match(call, among);
  assert.ok(typeof fault !== "string", `it was taken for ${JSON.stringify(fault)}`);
  assert.equal(fault.who, "sender");
  assert.equal(fault.code, "SOAP_ACTION_UNDECIDED");
  return fault.text;
}

function xml(element: string, soap = SOAP12, header = ""): string {
  return (
    `<s:Envelope xmlns:s="${soap}">${header}<s:Body>` +
    `<n:${element} xmlns:n="${SNE_NAMESPACE}"/></s:Body></s:Envelope>`
  );
}

/** Where an action may stand; empty ones are left out. */
interface Places {
  readonly outer?: string;
  readonly startInfo?: string;
  readonly root?: string;
  readonly rootType?: string;
  readonly soapAction?: string;
  readonly addressing?: string;
}

const quoted = (name: string, value: string | undefined): string =>
  value === undefined ? "" : `; ${name}="${value.replace(/(["\\])/g, "\\$1")}"`;

function packaged(places: Places, element = "fichierXmlParametres"): RawCall {
  const inner = (action: string | undefined): string =>
    `application/soap+xml${quoted("action", action)}`;
  const header =
    places.addressing === undefined
      ? ""
      : `<s:Header><w:Action xmlns:w="http://www.w3.org/2005/08/addressing">${places.addressing}</w:Action></s:Header>`;
  return packageCall(
    `multipart/related; type="application/xop+xml"; boundary=B${quoted("start-info", inner(places.startInfo))}${quoted("action", places.outer)}`,
    "B",
    [
      {
        head: [
          `Content-Type: application/xop+xml${quoted("type", inner(places.rootType))}${quoted("action", places.root)}`,
        ],
        bytes: xml(element, SOAP12, header),
      },
    ],
    places.soapAction === undefined ? {} : { SOAPAction: places.soapAction },
  );
}

function plain(action: string, soapAction?: string): RawCall {
  return envelopeCall(
    xml("fichierXmlParametres"),
    `application/soap+xml${action}`,
    soapAction === undefined ? {} : { SOAPAction: soapAction },
  );
}

describe("The operation of a SOAP request", () => {
  it("is that of its action where several share the element, wherever the action stands", () => {
    for (const places of [
      { outer: SUPPRIMER },
      { startInfo: SUPPRIMER },
      { root: SUPPRIMER },
      { rootType: SUPPRIMER },
      { soapAction: `"${SUPPRIMER}"` },
      { soapAction: SUPPRIMER },
      { addressing: ` ${SUPPRIMER}\n` },
      { outer: SUPPRIMER, root: "supprimerEvenementDemande", soapAction: '""' },
      { startInfo: SUPPRIMER, rootType: SUPPRIMER, soapAction: `"${SUPPRIMER}"` },
    ] satisfies Places[]) {
      assert.equal(match(packaged(places)), "supprimerEvenementDemande", JSON.stringify(places));
    }
    assert.equal(match(plain(`; charset=utf-8; action="${AJOUTER}"`)), "ajouterEvenementDemande");
    assert.equal(match(plain("; charset=utf-8", `"${AJOUTER}"`)), "ajouterEvenementDemande");
    const soap11 = envelopeCall(xml("fichierXmlParametres", SOAP11), "text/xml", {
      SOAPAction: `"${AJOUTER}"`,
    });
    assert.equal(match(soap11), "ajouterEvenementDemande");
  });

  it("is never guessed: no action, an empty one, an unknown one are faults that list what is expected", () => {
    for (const call of [packaged({}), plain(""), plain('; action=""', '""'), plain("", "")]) {
      const text = faultOf(call);
      assert.match(text, /aucune n'est donnée/);
      for (const { action } of EVENTS) assert.ok(text.includes(action), action);
    }
    for (const wrong of [
      `${SNE_NAMESPACE}supprimerEvenement`,
      SUPPRIMER.toLowerCase(),
      "toString",
      "__proto__",
      `${SUPPRIMER}/`,
    ]) {
      assert.match(faultOf(packaged({ outer: wrong })), /elle est inconnue/, wrong);
    }
  });

  it("is never chosen between two places that disagree", () => {
    for (const places of [
      { outer: SUPPRIMER, root: "ajouterEvenementDemande" },
      { startInfo: AJOUTER, soapAction: `"${SUPPRIMER}"` },
      { outer: SUPPRIMER, rootType: "urn:autre" },
      { outer: SUPPRIMER, addressing: AJOUTER },
    ] satisfies Places[]) {
      assert.match(faultOf(packaged(places)), /en donne plusieurs/, JSON.stringify(places));
    }
    assert.match(faultOf(plain(`; action="${AJOUTER}"`, SUPPRIMER)), /en-tête SOAPAction : http/);
  });

  it("is that of its element where no other has it, whatever odd action stands beside", () => {
    const call = (places: Places) => packaged(places, "numUniqueParametres");
    for (const places of [
      {},
      { outer: `${SNE_NAMESPACE}getNumUnique` },
      { root: "getNumUnique", outer: `${SNE_NAMESPACE}getNumUnique` },
      { soapAction: '"urn:getNumUnique"' },
      { outer: "n'importe quoi" },
    ] satisfies Places[]) {
      assert.equal(match(call(places), DEMANDES), "getNumUnique", JSON.stringify(places));
    }
    assert.equal(
      match(
        packaged({}, "fichierXmlParametres"),
        candidates.filter(({ service }) => service === "rechercheDemande"),
      ),
      "rechercheDemandeMulticritere",
    );
  });

  it("is not told by an element whose action is another operation's", () => {
    const call = packaged({ outer: `${SNE_NAMESPACE}getDoublons` }, "numUniqueParametres");
    assert.match(faultOf(call, DEMANDES), /se contredisent/);
    const short = packaged({ root: "getDemandeLogement" }, "numUniqueParametres");
    assert.match(faultOf(short, DEMANDES), /se contredisent/);
    // All thirteen at one address: the action is a known one, of another element.
    const elsewhere = packaged({ outer: `${SNE_NAMESPACE}getDoublons` });
    assert.match(faultOf(elsewhere, candidates), /d'un autre élément/);
  });

  it("is unknown by a fault that names what was found and what is expected", () => {
    const fault = match(packaged({}, "autreParametres"), DEMANDES);
    assert.ok(typeof fault !== "string");
    assert.equal(fault.code, "SOAP_OPERATION_UNKNOWN");
    assert.match(fault.text, /\{http:\/\/ws\.metier\.nuu\.application\.i2\/\}autreParametres/);
    assert.match(fault.text, /numUniqueParametres/);
    const elsewhere = envelopeCall(
      xml("numUniqueParametres").replace(SNE_NAMESPACE, "http://ws.metier.nuu.application.i2"),
      "application/soap+xml",
    );
    const other = match(elsewhere, DEMANDES);
    assert.ok(typeof other !== "string");
    assert.equal(other.code, "SOAP_OPERATION_UNKNOWN");
  });
});
