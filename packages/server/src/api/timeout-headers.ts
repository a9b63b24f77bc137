import { parseGrpcTimeout } from "./grpc-timeout.ts";

/** Some 25 days. Node's timers take more for no time at all. */
const longestTimerMs = 2 ** 31 - 1;

/** Shortens deadlines that a timer cannot wait for. Some clients mean "for ever" by them. */
export function shortenTimeouts(header: Headers): void {
  const grpc = parseGrpcTimeout(header.get("grpc-timeout") ?? "");
  // The header has room for eight digits.
  if (grpc !== undefined && grpc > longestTimerMs) {
    header.set("grpc-timeout", `${String(Math.floor(longestTimerMs / 1000))}S`);
  }
  const connect = header.get("connect-timeout-ms") ?? "";
  if (/^\d{1,10}$/.test(connect) && Number(connect) > longestTimerMs) {
    header.set("connect-timeout-ms", String(longestTimerMs));
  }
}
