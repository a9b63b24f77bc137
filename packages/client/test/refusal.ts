import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, type Retry } from "@dkv/protocol/dkv/v1/dkv";

/** An error as a member sends it. */
export function refusal(
  code: string,
  retry: Retry,
  status: Code = Code.Unavailable,
  compactRevision = 0n,
): ConnectError {
  const detail = { desc: ErrorDetailSchema, value: { code, retry, compactRevision } };
  return new ConnectError(`refused: ${code}`, status, undefined, [detail]);
}
