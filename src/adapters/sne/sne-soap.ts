/**
 * node-soap, kept to what it is fit for: it writes the envelope of an operation from our WSDL, and
 * reads the one we wrote anew from the answer (stack.md, section 3). It sees neither a value nor a
 * file, and never the network.
 *
 * Promise: what belongs to one call travels with that call (node-soap hands its `options` through);
 * the clients are shared. Nothing is ever sent twice.
 */
import { createClientAsync } from "soap";
import type { Client, IHttpClient } from "soap";
import { messageOf } from "../../domain/errors.ts";
import type { SneValue } from "../../forward/registry.ts";
import { readContentType } from "../../wire/content-type.ts";
import { SNE_OPERATIONS } from "../../wire/sne-contract.ts";
import type { SneOperationShape, SneService } from "../../wire/sne-contract.ts";
import { callEnvelope } from "./call-envelope.ts";
import type { SoapAnswer } from "./soap-answer.ts";
import type { AttachedFile } from "./soap-request.ts";

/** What leaves for one call. */
export interface SoapMessage {
  readonly envelope: string;
  /** The SOAP action, from the WSDL. */
  readonly action: string;
  readonly files: readonly AttachedFile[];
}

/** Carries a message to the SNE, and reads what comes back. */
export type Exchange = (message: SoapMessage) => Promise<SoapAnswer>;

/** Calls one operation, once. Rejects on our own mistakes only. */
export type CallOperation = (
  shape: SneOperationShape,
  values: readonly SneValue[],
  exchange: Exchange,
) => Promise<SoapAnswer>;

/** What a call carries through node-soap, and what came of it before node-soap was told. */
interface Passage {
  readonly send: (envelope: string, action: string) => Promise<SoapAnswer>;
  outcome?: SoapAnswer;
}

/** @param wsdlPaths - one WSDL a service; rejects when one cannot be used, or lacks an operation */
export async function makeSneSoap(
  wsdlPaths: Readonly<Record<SneService, string>>,
): Promise<CallOperation> {
  const operations = new Map<string, Operation>();
  const clients = new Map<SneService, Client>();
  for (const { name, service } of SNE_OPERATIONS) {
    const path = wsdlPaths[service];
    const client = clients.get(service) ?? (await openClient(path));
    clients.set(service, client);
    const operation: unknown = client[`${name}Async`];
    if (typeof operation !== "function") throw new Error(`${path}: no operation ${name}`);
    operations.set(name, operation as Operation);
  }
  return async (shape, values, exchange) => {
    const operation = operations.get(shape.name);
    if (operation === undefined) throw new Error(`no operation ${shape.name}`);
    const { given, filled, files } = callEnvelope(shape, values);
    const passage: Passage = {
      send: (envelope, action) => exchange({ envelope: filled(envelope), action, files }),
    };
    return await throughNodeSoap(operation, given, passage, shape.name);
  };
}

function openClient(wsdlPath: string): Promise<Client> {
  return createClientAsync(wsdlPath, {
    // Never used: the message goes where its service is.
    endpoint: "urn:sne",
    forceSoap12Headers: true,
    // Its cache would be one for the whole process.
    disableCache: true,
    httpClient: HTTP_CLIENT,
  });
}

/** What node-soap takes for its way to the network. */
const HTTP_CLIENT: IHttpClient = {
  request: (_url, envelope: string, callback, soapHeaders, given) => {
    const { passage } = given as { passage: Passage };
    const told = passage.send(envelope, actionIn(soapHeaders)).then((outcome) => {
      passage.outcome = outcome;
      if (outcome.kind !== "element") callback(new NoElement());
      else callback(null, { status: 200, headers: {} }, outcome.envelope);
    });
    // A throw of node-soap inside its callback, or of ours: the call must end all the same.
    told.catch((error: unknown) => {
      callback(error);
    });
    // node-soap awaits nothing of it.
    return told as unknown as ReturnType<IHttpClient["request"]>;
  },
};

async function throughNodeSoap(
  operation: Operation,
  given: object,
  passage: Passage,
  name: string,
): Promise<SoapAnswer> {
  let result: unknown;
  try {
    // The exchange's own identifier spares node-soap making a UUID per call.
    [result] = await operation(given, { passage, exchangeId: name });
  } catch (error) {
    const { outcome } = passage;
    if (outcome === undefined) throw error;
    if (outcome.kind !== "element") return outcome;
    return notReadByNodeSoap(messageOf(error));
  }
  const { outcome } = passage;
  if (outcome?.kind !== "element") throw new Error("node-soap answered without an exchange");
  for (const value of outcome.values.keys()) {
    if (textIn(result, value) !== value) return notReadByNodeSoap(`${value} mal lu`);
  }
  return outcome;
}

function notReadByNodeSoap(detail: string): SoapAnswer {
  return { kind: "notRead", why: "unreadable", detail: `node-soap : ${detail}` };
}

/** What node-soap makes of an operation; the first of what it answers is the result. */
type Operation = (given: object, options: object) => Promise<readonly unknown[]>;

/** Tells node-soap to end a call whose outcome stands in its passage. */
class NoElement extends Error {}

/** The action node-soap took from the WSDL, in the Content-Type it wrote for us. */
function actionIn(soapHeaders: unknown): string {
  const header = (soapHeaders as Readonly<Record<string, string>> | undefined)?.["Content-Type"];
  const action = readContentType(header)?.parameters.get("action");
  if (action === undefined) throw new Error("node-soap gave no action");
  return action;
}

/** A child of node-soap's result as text; undefined when it is absent or of another shape. */
function textIn(result: unknown, name: string): string | undefined {
  if (typeof result !== "object" || result === null || !Object.hasOwn(result, name))
    return undefined;
  const value = (result as Record<string, unknown>)[name];
  return typeof value === "string" ? value : undefined;
}
