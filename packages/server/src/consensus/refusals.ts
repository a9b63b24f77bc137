/** What the store refuses, and a member that stops, as callers are told. */
import type { LoggedOperation, RefusalReason, RefusedResult } from "@dkv/store";
import { DkvError, type ErrorCode } from "../platform/errors.ts";

const texts: Readonly<Record<Exclude<RefusalReason, NumberedReason>, string>> = {
  leaseNotFound: "there is no such lease: it ran out or was revoked; grant a new one",
  leaseExists: "there is a lease with that id already: choose another one, or give none to have one chosen",
  noLeaseId: "a lease needs an id to be granted under, and 0 is none: choose another one",
  keyNotFound: "the key does not exist, and was to keep what it has",
  keyMissing: "the key does not exist any more, and was to be as it was",
  keyChanged: "the key is not as it was to be: somebody else has set it",
  userEmpty: "the name of a user is missing: authentication is enabled, and nobody does anything unnamed",
  authRevisionOld: "who may do what has changed since the caller was looked at; nothing was done, try again",
  permissionDenied:
    "the user has no role that permits this: somebody with the role root can grant one that does",
  rootUserMissing: "authentication needs a user called root: add one, and grant it the role root",
  rootRoleMissing: "the user root needs the role root: grant it before authentication is enabled",
  userExists: "there is a user with that name already",
  userNotFound: "there is no user with that name",
  roleEmpty: "a role needs a name",
  roleExists: "there is a role with that name already",
  roleNotFound: "there is no role with that name",
  roleNotGranted: "the user does not have that role",
  permissionNotGiven: "a permission is one to read, to write, or both",
  permissionNotGranted: "the role has no permission for exactly that interval",
  invalidAuthManagement:
    "the user root and the role root stay as long as authentication is enabled, and a permission needs a key, and " +
    "an end behind it if there is one",
  authTooLarge: "all users and roles together would take too much room: delete some that nobody needs",
};

const codes: Readonly<Record<RefusalReason, ErrorCode>> = {
  compacted: "compacted",
  futureRevision: "futureRevision",
  leaseNotFound: "leaseNotFound",
  leaseExists: "leaseExists",
  // Doors choose an id where a client gives none: nobody but another member can have proposed that.
  noLeaseId: "invalidRequest",
  keyNotFound: "keyNotFound",
  keyMissing: "keyNotFound",
  keyChanged: "preconditionFailed",
  userEmpty: "userEmpty",
  authRevisionOld: "authRevisionOld",
  permissionDenied: "permissionDenied",
  rootUserMissing: "rootUserMissing",
  rootRoleMissing: "rootRoleMissing",
  userExists: "userExists",
  userNotFound: "userNotFound",
  roleEmpty: "roleEmpty",
  roleExists: "roleExists",
  roleNotFound: "roleNotFound",
  roleNotGranted: "roleNotGranted",
  permissionNotGiven: "permissionNotGiven",
  permissionNotGranted: "permissionNotGranted",
  invalidAuthManagement: "invalidAuthManagement",
  authTooLarge: "requestTooLarge",
};

/** Those whose texts say which revisions there are. */
type NumberedReason = "compacted" | "futureRevision";

/**
 * @param compactRevision the oldest revision that can be read
 * @param refused what was to be done, if it was a command
 */
export function refusedError(
  { reason, revision }: RefusedResult,
  compactRevision: number,
  refused?: LoggedOperation["case"],
): DkvError {
  const details = reason === "compacted" ? { compactRevision } : {};
  return new DkvError(codes[reason], text(), details);

  function text(): string {
    if (reason === "futureRevision")
      return `that revision does not exist yet: the current one is ${String(revision)}`;
    if (reason !== "compacted") return texts[reason];
    return refused === "compact"
      ? `that was given up by a compaction already: the oldest revision left is ${String(compactRevision)}`
      : `that revision was given up by a compaction: the oldest one left is ${String(compactRevision)}`;
  }
}

export function stopping(): DkvError {
  return new DkvError("stopping", "this member is stopping; nothing was written, use another one");
}
