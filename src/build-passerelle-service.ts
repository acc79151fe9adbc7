/**
 * Builds our own SOAP service at the path its setting gives; none when it is set to nowhere.
 */
import { readFile } from "node:fs/promises";
import type { Collect } from "./acknowledge/collect.ts";
import { makeConfirm } from "./acknowledge/confirm.ts";
import type { ComposeParcel } from "./acknowledge/parcel.ts";
import { makeDepositBordereau } from "./adapters/soap/passerelle/bordereau.ts";
import { makeDeposit } from "./adapters/soap/passerelle/deposit.ts";
import {
  makeConfirmAcquittement,
  makeFetchAcquittement,
} from "./adapters/soap/passerelle/fetch-acquittement.ts";
import { makeFollow, makeList } from "./adapters/soap/passerelle/follow.ts";
import { makePasserelleEndpoint } from "./adapters/soap/passerelle/passerelle-endpoint.ts";
import type { SoapService } from "./adapters/soap/soap-service.ts";
import type { Receive } from "./arrive/arrival.ts";
import type { Events } from "./domain/events.ts";
import type { Outbox } from "./keep/outbox.ts";
import { makeTellWaiting, type BreakerView } from "./operate/why-waiting.ts";
import { makeBordereaux } from "./reconcile/bordereaux.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import type { Log } from "./runtime/log.ts";

const WSDL = new URL("../wsdl/passerelle.wsdl", import.meta.url);

export function buildPasserelleService(options: {
  /** GATEWAY_SOAP_PATH; `-`: nowhere. */
  readonly path: string;
  readonly maxFileBytes: number;
  readonly receive: Receive;
  readonly outbox: Outbox;
  readonly composeParcel: ComposeParcel;
  readonly collect: Collect;
  /** Absent when no SNE address is set. */
  readonly breaker?: BreakerView;
  readonly events: Events;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}): readonly SoapService[] {
  const { outbox, collect, clock, events } = options;
  const path = options.path.replace(/\/+$/, "");
  if (path === "" || path === "-") return [];
  return [
    makePasserelleEndpoint({
      ...options,
      path,
      wsdl: () => readFile(WSDL, "utf8"),
      operations: {
        deposerFlux: makeDeposit(options),
        suivreFlux: makeFollow({ outbox, tellWaiting: makeTellWaiting(options) }),
        listerFluxDepuis: makeList({ outbox }),
        retirerAcquittement: makeFetchAcquittement(options),
        confirmerAcquittement: makeConfirmAcquittement({
          outbox,
          confirm: makeConfirm({ outbox, collect, events, clock }),
        }),
        deposerBordereau: makeDepositBordereau({
          outbox,
          bordereaux: makeBordereaux({ outbox, clock }),
        }),
      },
    }),
  ];
}
