/**
 * The landlord's side: makes files, sends them by mail, folder or REST, and collects what comes
 * back. It knows the gateway only by its channels, and remembers all it was promised.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileName, makeDemande, type SampleDemande } from "../src/standin/sample-demandes.ts";
import { sendMail, type CollectedMail } from "../test/support/mail-peers.ts";
import { API_KEY, GATEWAY_ADDRESS, GUICHET, SENDER, type Cast } from "./cast.ts";
import { until } from "./stage.ts";

export const CHANNELS = ["mail", "file", "rest"] as const;
export type Channel = (typeof CHANNELS)[number];

/** One file the guichet sent, and what it was told since. */
export interface Sent {
  readonly channel: Channel;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** What the guichet expects to be told in the end. */
  readonly expected: "accepted" | "refused";
  readonly messageId?: string;
  /** The channel has said that the gateway holds it. */
  confirmed: boolean;
  /** Identifier of the flux, once the gateway told it (REST) or was asked. */
  fluxId?: string;
  /** The XML acquittement, once collected by REST. */
  collected?: string;
}

export interface Guichet {
  readonly sent: readonly Sent[];
  /** A file of its own; the number makes its applicant unlike any other. */
  make(number: number, more?: Partial<SampleDemande>): Uint8Array;
  /** The guichet's own reference of that file. */
  refInterne(number: number): string;
  send(
    channel: Channel,
    bytes: Uint8Array,
    options?: { expected?: Sent["expected"]; name?: string },
  ): Promise<Sent>;
  /** Asks by REST for the acquittements still missing there, as its software would every minute. */
  collect(): Promise<void>;
  /** The mail that acknowledges this file. */
  mailFor(sent: Sent): CollectedMail | undefined;
  /** The files of the return folder about this file, by name. */
  filesFor(sent: Sent): readonly string[];
  isAcknowledged(sent: Sent): boolean;
}

export function makeGuichet(cast: Cast): Guichet {
  const sent: Sent[] = [];
  let sequence = 0;

  const refInterne = (number: number): string => `AH-2026-${String(number).padStart(5, "0")}`;

  function make(number: number, more: Partial<SampleDemande> = {}): Uint8Array {
    const day = String(1 + (number % 28)).padStart(2, "0");
    const month = String(1 + (Math.floor(number / 28) % 12)).padStart(2, "0");
    return makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      seed: number,
      refInterne: refInterne(number),
      // Nobody is born on the same day: no demande looks like another, unless a scene wants it.
      dateNaissance: `${1960 + (number % 40)}-${month}-${day}`,
      ...more,
    });
  }

  async function send(
    channel: Channel,
    bytes: Uint8Array,
    { expected = "accepted", name }: { expected?: Sent["expected"]; name?: string } = {},
  ): Promise<Sent> {
    sequence += 1;
    const one: Sent = {
      channel,
      name: name ?? fileName({ guichet: GUICHET, at: new Date(), sequence }),
      bytes,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      expected,
      ...(channel === "mail"
        ? { messageId: `<envoi-${sequence}-${process.pid}@armor-habitat.example>` }
        : {}),
      confirmed: false,
    };
    sent.push(one);
    switch (channel) {
      case "mail": {
        const answer = await sendMail({
          port: cast.smtpPort,
          from: SENDER,
          to: GATEWAY_ADDRESS,
          subject: `Flux SNE ${one.name}`,
          text: "Veuillez trouver ci-joint un flux.",
          attachments: [{ name: one.name, bytes }],
          ...(one.messageId === undefined ? {} : { messageId: one.messageId }),
        });
        one.confirmed = answer.startsWith("250");
        return one;
      }
      case "file": {
        // Written apart, then renamed: a half-written file never shows under its name.
        const apart = join(cast.drop, `.${one.name}.tmp`);
        writeFileSync(apart, bytes);
        renameSync(apart, join(cast.drop, one.name));
        void until(
          `le fichier ${one.name} quitte le dossier de dépôt`,
          () => Promise.resolve(!existsSync(join(cast.drop, one.name))),
          60_000,
        ).then(
          () => (one.confirmed = true),
          () => undefined,
        );
        return one;
      }
      case "rest": {
        const answer = await fetch(`${cast.url}/api/v1/fluxes`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${API_KEY}`,
            "content-type": "application/xml",
            "content-disposition": `attachment; filename="${one.name}"`,
            "idempotency-key": `${one.name}-${one.sha256.slice(0, 16)}`,
          },
          body: Buffer.from(bytes),
        });
        const body = (await answer.json()) as { id?: string; detail?: string };
        if (!answer.ok || body.id === undefined) {
          throw new Error(`le dépôt REST est refusé : ${body.detail ?? answer.status}`);
        }
        one.confirmed = true;
        one.fluxId = body.id;
        return one;
      }
    }
  }

  async function collect(): Promise<void> {
    for (const one of sent) {
      if (one.channel !== "rest" || one.fluxId === undefined || one.collected !== undefined)
        continue;
      const answer = await fetch(`${cast.url}/api/v1/fluxes/${one.fluxId}/acquittement`, {
        headers: { authorization: `Bearer ${API_KEY}`, accept: "application/xml" },
      });
      const text = await answer.text();
      if (answer.ok) one.collected = text;
    }
  }

  const mailFor = (one: Sent): CollectedMail | undefined =>
    cast.mailbox.find((mail) => mail.header("In-Reply-To") === one.messageId);
  const filesFor = (one: Sent): readonly string[] =>
    readdirSync(cast.returned)
      .filter((name) => name.startsWith(one.name.replace(/\.xml$/, "")))
      .sort();

  return {
    sent,
    make,
    refInterne,
    send,
    collect,
    mailFor,
    filesFor,
    isAcknowledged: (one) => {
      switch (one.channel) {
        case "mail":
          return mailFor(one) !== undefined;
        case "file":
          return filesFor(one).some((name) => name.endsWith(".acquittement.xml"));
        case "rest":
          return one.collected !== undefined;
      }
    },
  };
}

/** The lines of a text file a guichet received. */
export function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
}
