/** Decides, for one call, which gateway is spoken to and with which key. */
import { UsageError } from "./cli-context.ts";
import { makeGatewayClient, type GatewayClient } from "./gateway-client.ts";

export const DEFAULT_URL = "http://127.0.0.1:8080";

/** Options first, then the environment. The client is made at first use: `doctor` needs none. */
export function makeConnection({
  env,
  url,
  key,
  guichet,
  fetch,
}: {
  env: Readonly<Record<string, string | undefined>>;
  url?: string;
  key?: string;
  /** Takes the key of PASSERELLE_KEY_<guichet>. */
  guichet?: string;
  fetch?: typeof globalThis.fetch;
}): () => GatewayClient {
  let client: GatewayClient | undefined;
  return () => {
    client ??= makeGatewayClient({
      url: readUrl(url ?? nonEmpty(env["PASSERELLE_URL"]) ?? DEFAULT_URL),
      key: readKey(),
      operator: readOperator(),
      ...(fetch === undefined ? {} : { fetch }),
    });
    return client;
  };

  /** The name of the account that runs the command: the journal tells who decided. */
  function readOperator(): string | undefined {
    const name = nonEmpty(env["PASSERELLE_OPERATOR"]) ?? nonEmpty(env["USER"]);
    return name
      ?.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
      .trim()
      .slice(0, 64);
  }

  function readKey(): string | undefined {
    const own = guichet === undefined ? undefined : `PASSERELLE_KEY_${guichet.toUpperCase()}`;
    if (own !== undefined && key === undefined && nonEmpty(env[own]) === undefined) {
      throw new UsageError(`La variable ${own} ne porte aucune clé.`);
    }
    const found = nonEmpty(key) ?? nonEmpty(env[own ?? "PASSERELLE_KEY"]);
    // What cannot be in a header would make fetch fail with an obscure error.
    if (found !== undefined && !/^[\x21-\x7e]+$/.test(found)) {
      throw new UsageError("La clé contient un caractère qui ne peut pas être envoyé.");
    }
    return found;
  }
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `L'adresse « ${text} » n'est pas celle d'une passerelle.`,
      "Exemple : --url http://127.0.0.1:8080",
    );
  }
  // A key in the address would end in logs; a query would be lost.
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
