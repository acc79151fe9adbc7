/**
 * Tells whose a connection to MongoDB is by its first message, where every client says what it is
 * (MongoDB specification "handshake"): "members" for the set's own, else its `appName`, else
 * "clients".
 */
import mongoose from "mongoose";

const HEADER_BYTES = 16;
const OP_QUERY = 2004;
const OP_MSG = 2013;

/** Undefined while the first message is not whole. */
export function mongoPartyOf(sent: Buffer): string | undefined {
  if (sent.length < HEADER_BYTES || sent.length < sent.readInt32LE(0)) return undefined;
  const start = documentStart(sent);
  if (start === undefined) return "clients";
  const hello = mongoose.mongo.BSON.deserialize(
    sent.subarray(start, start + sent.readInt32LE(start)),
  );
  if (hello["internalClient"] !== undefined) return "members";
  const client: unknown = hello["client"];
  const driver = fieldOf(fieldOf(client, "driver"), "name");
  // The set's own monitoring of its members calls itself so, and no internal client.
  if (typeof driver === "string" && driver.startsWith("NetworkInterfaceTL")) return "members";
  const name = fieldOf(fieldOf(client, "application"), "name");
  return typeof name === "string" ? name : "clients";
}

/** Where the command stands in the message (wire protocol: OP_QUERY, OP_MSG with a body section). */
function documentStart(message: Buffer): number | undefined {
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return HEADER_BYTES + 4 + 1;
  if (opCode !== OP_QUERY) return undefined;
  const nameStart = HEADER_BYTES + 4;
  return message.indexOf(0, nameStart) + 1 + 4 + 4;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
