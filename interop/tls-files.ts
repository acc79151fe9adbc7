/** The certificates of the tests, as files: they protect nothing. */
import { join } from "node:path";
import { ROOT } from "./wsdl-set.ts";

const FOLDER = join(ROOT, "test", "fixtures", "tls");

export const TLS = {
  /** For localhost and 127.0.0.1. */
  server: { cert: join(FOLDER, "server.pem"), key: join(FOLDER, "server.key") },
  client: {
    ca: join(FOLDER, "authority.pem"),
    cert: join(FOLDER, "client.pem"),
    key: join(FOLDER, "client.key"),
  },
} as const;
