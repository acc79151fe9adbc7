/**
 * Tells what an error of SQLite means for the gateway. Promise: a full disk and a failing one are
 * never taken for a mistake of the program, nor the other way round.
 */
import type { ErrorCode, ErrorDetails } from "../../domain/errors.ts";
import { GatewayError, gatewayError, messageOf } from "../../domain/errors.ts";

/** Primary result codes (https://sqlite.org/rescode.html). */
const BUSY = 5;
const FULL = 13;
/** LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, CANTOPEN, PROTOCOL, NOLFS, NOTADB. */
const UNAVAILABLE = new Set([6, 7, 8, 9, 10, 11, 14, 15, 22, 26]);

/** An error as it crosses from the worker to the main side. */
export interface StoreFault {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly cause: string;
}

/** What the error means: one of the store's codes, or INTERNAL_ERROR for a mistake of the program. */
export function faultOf(error: unknown): StoreFault {
  if (error instanceof GatewayError) {
    const cause = error.cause === undefined ? error.message : messageOf(error.cause);
    return { code: error.code, details: error.details, cause };
  }
  return { code: codeOf(error), details: {}, cause: messageOf(error) };
}

export function errorOf(fault: StoreFault): GatewayError {
  return gatewayError(fault.code, fault.details, new Error(fault.cause));
}

/** True when another process holds the file. */
export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === BUSY;
}

function codeOf(error: unknown): ErrorCode {
  const code = resultCodeOf(error);
  if (code === FULL) return "STORE_FULL";
  if (code === BUSY || (code !== undefined && UNAVAILABLE.has(code))) return "STORE_UNAVAILABLE";
  return "INTERNAL_ERROR";
}

function resultCodeOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return undefined;
  // The low byte of an extended result code is its primary code.
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}
