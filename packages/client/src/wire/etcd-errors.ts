/** What members say of errors where they speak as etcd does: by texts, which do not change. */
import type { ErrorCode, Retry } from "../errors.ts";

const refusals: Readonly<Record<string, ErrorCode>> = {
  "user name is empty": "user_empty",
  "user name not found": "user_not_found",
  "user name already exists": "user_exists",
  "role name is empty": "role_empty",
  "role name not found": "role_not_found",
  "role name already exists": "role_exists",
  "role is not granted to the user": "role_not_granted",
  "permission not given": "permission_not_given",
  "permission is not granted to the role": "permission_not_granted",
  "permission denied": "permission_denied",
  "root user does not exist": "root_user_missing",
  "root user does not have root role": "root_role_missing",
  "invalid auth management": "invalid_auth_management",
  "authentication is not enabled": "auth_not_enabled",
  "authentication failed, invalid user ID or password": "auth_failed",
  "invalid auth token": "invalid_auth_token",
  "request is too large": "request_too_large",
};

/** Nothing was done, and may be by another attempt. */
const passing: Readonly<Record<string, ErrorCode>> = {
  "revision of auth store is old": "auth_revision_old",
  "no leader": "no_leader",
  "leader changed": "not_leader",
  "too many requests": "overloaded",
  "server stopped": "stopping",
  "mvcc: database space exceeded": "no_space",
};

/** Undefined if it is none of those. */
export function verdictOfText(text: string): { readonly code: ErrorCode; readonly retry: Retry } | undefined {
  const prefix = "etcdserver: ";
  if (!text.startsWith(prefix)) return undefined;
  const said = text.slice(prefix.length);
  if (said === "request timed out") return { code: "outcome_unknown", retry: "outcomeUnknown" };
  const [refused, later] = [refusals[said], passing[said]];
  if (refused !== undefined) return { code: refused, retry: "never" };
  return later === undefined ? undefined : { code: later, retry: "notApplied" };
}
