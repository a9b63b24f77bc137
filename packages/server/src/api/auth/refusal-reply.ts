/** What plain HTTP is told of who may not do something. */
import { DkvError, type ErrorCode } from "../../platform/errors.ts";
import type { PlainReply } from "../door.ts";

const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  userEmpty: 401,
  authFailed: 401,
  invalidAuthToken: 401,
  authRevisionOld: 401,
  permissionDenied: 403,
};

/** Whether it says that somebody may not do something. */
export const isRefusal = (error: unknown): error is DkvError =>
  error instanceof DkvError && statuses[error.code] !== undefined;

export function refusalReply(error: unknown): PlainReply {
  const status = isRefusal(error) ? (statuses[error.code] ?? 403) : 503;
  const message =
    error instanceof DkvError ? error.message : "internal error: nobody could be asked who you are";
  return {
    status,
    contentType: "text/plain; charset=utf-8",
    body: `${message}\n`,
    ...(status === 401 && { asksForCredentials: true }),
  };
}
