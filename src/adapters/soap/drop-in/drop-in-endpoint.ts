/**
 * One of the SNE's own services, served at its own path (capability A7): a client written for the SNE
 * works when pointed here. What writes goes to `write-operation.ts`, what reads to
 * `read-operation.ts`.
 */
import type { Guichet } from "../../../domain/guichet.ts";
import { isWriteOperation } from "../../../domain/sne-operation.ts";
import type { Chance } from "../../../runtime/clock.ts";
import type { Log } from "../../../runtime/log.ts";
import {
  SNE_NAMESPACE,
  SNE_OPERATIONS,
  type SneOperationShape,
  type SneService,
} from "../../../wire/sne-contract.ts";
import type { HttpCall } from "../../../wire/http-message.ts";
import type { SoapParameters } from "../read-parameters.ts";
import type { Served } from "../service-call.ts";
import { makeSoapService, type SoapService } from "../soap-service.ts";

/** A call of the SNE's contract, its parameters in order. */
export interface SneRequest {
  readonly shape: SneOperationShape;
  readonly parameters: SoapParameters;
  readonly guichet: Guichet;
  readonly http: HttpCall;
}

/** Serves one operation; rejects with a GatewayError for what the gateway cannot do now. */
export type ServeSneOperation = (request: SneRequest) => Promise<Served>;

export function makeDropInEndpoint(options: {
  readonly service: SneService;
  /** With no slash at its end. */
  readonly path: string;
  /** The largest file taken, bytes. */
  readonly maxFileBytes: number;
  readonly wsdl: () => Promise<string>;
  readonly write: ServeSneOperation;
  readonly read: ServeSneOperation;
  readonly chance: Chance;
  readonly log: Log;
}): SoapService {
  const { service, write, read, ...rest } = options;
  return makeSoapService({
    ...rest,
    title: "Service du SNE, tenu par la passerelle.",
    // As the published contract.
    versions: ["1.2"],
    namespace: SNE_NAMESPACE,
    operations: SNE_OPERATIONS.filter((shape) => shape.service === service).map((shape) => ({
      name: shape.name,
      namespace: SNE_NAMESPACE,
      element: shape.request,
      action: `${SNE_NAMESPACE}${shape.name}`,
      answer: shape.answer,
      parameters: shape.parameters,
      serve: (request) => (isWriteOperation(shape.name) ? write : read)({ ...request, shape }),
    })),
    // The contract declares no fault: its clients show the reason alone.
    advisesInReason: true,
  });
}
