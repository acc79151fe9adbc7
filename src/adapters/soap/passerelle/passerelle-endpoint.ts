/** Our own SOAP service (capability A5): deposit, follow, fetch, confirm, by any generated client. */
import type { Chance } from "../../../runtime/clock.ts";
import type { Log } from "../../../runtime/log.ts";
import type { ServeOperation } from "../service-call.ts";
import { makeSoapService, type SoapService } from "../soap-service.ts";
import {
  SERVICE_NAMESPACE,
  SERVICE_OPERATIONS,
  type ServiceOperationName,
} from "./service-contract.ts";

export function makePasserelleEndpoint(options: {
  /** With no slash at its end. */
  readonly path: string;
  /** The largest file taken, bytes. */
  readonly maxFileBytes: number;
  /** `wsdl/passerelle.wsdl`. */
  readonly wsdl: () => Promise<string>;
  readonly operations: Readonly<Record<ServiceOperationName, ServeOperation>>;
  readonly chance: Chance;
  readonly log: Log;
}): SoapService {
  const { operations, ...rest } = options;
  return makeSoapService({
    ...rest,
    title: "Service de la passerelle SNE.",
    versions: ["1.1", "1.2"],
    namespace: SERVICE_NAMESPACE,
    operations: SERVICE_OPERATIONS.map((operation) => ({
      ...operation,
      serve: operations[operation.name],
    })),
  });
}
