/**
 * Tells what an error of MongoDB means for the gateway. Promise: a database that is away or full is
 * never taken for a mistake of the program, nor the other way round; no error shows a password.
 */
import mongoose, { mongo } from "mongoose";
import type { ErrorCode } from "../../domain/errors.ts";
import { GatewayError, gatewayError, messageOf } from "../../domain/errors.ts";

/** https://github.com/mongodb/mongo/blob/r6.0.5/src/mongo/base/error_codes.yml */
const DUPLICATE_KEY = 11000;
const OUT_OF_DISK_SPACE = 14031;
const WRITE_CONFLICT = 112;
const MAX_TIME_EXPIRED = 50;
/**
 * A server that stops, steps down, cannot reach a majority, or is not allowed: HostUnreachable,
 * Unauthorized, AuthenticationFailed, WriteConcernFailed, NetworkTimeout, ShutdownInProgress,
 * PrimarySteppedDown, ExceededTimeLimit, CannotSatisfyWriteConcern, NotWritablePrimary,
 * InterruptedAtShutdown, InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk,
 * NotPrimaryOrSecondary, MaxTimeMSExpired, DocumentValidationFailure (only a sealed store, `seal.ts`,
 * has validators), AtlasError (user not allowed).
 */
const UNAVAILABLE = new Set([
  // An index of ours that was made otherwise: IndexOptionsConflict, IndexKeySpecsConflict.
  85, 86, 6, 7, 13, 18, 50, 64, 89, 91, 100, 121, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
  8000,
]);

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * True when a transaction whose commit was not asked for may be run again: nothing of it stays.
 *
 * The driver (7.8) labels the first network error of a server only: those of its other connections,
 * closed with it, come bare, and a bulk write wraps them in an error of a server.
 */
export function isTransientTransaction(error: unknown): boolean {
  return hasLabel(error, "TransientTransactionError") || isOfNetwork(error);
}

/** True when a document is held by a transaction that is not over. */
export function isConflict(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === WRITE_CONFLICT;
}

/** True when the server gave up after the time it was allowed. */
export function isTimeLimit(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === MAX_TIME_EXPIRED;
}

/** True when the commit may or may not have happened: it may be asked for again. */
export function isUnknownCommit(error: unknown): boolean {
  return (
    hasLabel(error, "UnknownTransactionCommitResult") ||
    // Asked of nobody, perhaps, but the time before it may have been heard.
    error instanceof mongo.MongoServerSelectionError ||
    isOfNetwork(error)
  );
}

/** The connection failed: what was asked may have been done. */
function isOfNetwork(error: unknown): boolean {
  return (
    error instanceof mongo.MongoNetworkError ||
    (error instanceof mongo.MongoBulkWriteError && isOfNetwork(error.errorResponse)) ||
    // Of the socket itself: a write that fails comes through as the system told it.
    (error instanceof Error && "syscall" in error)
  );
}

/** The gateway's error for one of the database's; its own errors pass unchanged. */
export function storeError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return gatewayError(codeOf(error), {}, new Error(saidOf(error)));
}

function codeOf(error: unknown): ErrorCode {
  if (isOfNetwork(error)) return "STORE_UNAVAILABLE";
  if (error instanceof mongo.MongoServerError) {
    if (error.code === OUT_OF_DISK_SPACE) return "STORE_FULL";
    const isAway =
      UNAVAILABLE.has(Number(error.code)) ||
      hasLabel(error, "RetryableWriteError") ||
      isTransientTransaction(error) ||
      isUnknownCommit(error);
    return isAway ? "STORE_UNAVAILABLE" : "INTERNAL_ERROR";
  }
  // The rest of the driver's errors are of the network, of the choice of a server, of a URI.
  if (error instanceof mongoose.Error.MongooseServerSelectionError) return "STORE_UNAVAILABLE";
  const isProgram =
    error instanceof mongo.MongoInvalidArgumentError || !(error instanceof mongo.MongoError);
  return isProgram ? "INTERNAL_ERROR" : "STORE_UNAVAILABLE";
}

function hasLabel(error: unknown, label: string): boolean {
  return error instanceof mongo.MongoError && error.hasErrorLabel(label);
}

/** What the driver says, for logs: without password, and without the values of a key. */
function saidOf(error: unknown): string {
  const text = messageOf(error)
    .replaceAll(/(mongodb(?:\+srv)?:\/\/)[^@/\s]+@/g, "$1***@")
    .replaceAll(/ dup key: .*/gs, "");
  if (!(error instanceof mongo.MongoError)) return text;
  return `${[error.name, error.code].filter((part) => part !== undefined).join(" ")}: ${text}`;
}
