import type { BodyMeter } from "../grpc/message.ts";
import type { Status } from "../grpc/status.ts";

/** Why an answer is an error, in few words, the same for the same kind; undefined if it is what was wanted. */
export function problemWith(status: Status, meter: BodyMeter, leastBytes: number): string | undefined {
  if (status.code === undefined) return `no gRPC status: ${status.message}`;
  if (status.code !== 0) return `gRPC status ${status.code}: ${status.message}`;
  if (!meter.isOneMessage) return "the answer is not one message";
  if (meter.messageBytes < leastBytes) return "the answer lacks the value";
  return undefined;
}
