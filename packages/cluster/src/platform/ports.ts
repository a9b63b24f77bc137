/** Ports of this machine. */
import { once } from "node:events";
import { createServer } from "node:net";
import { randomInt } from "node:crypto";

/** The loopback addresses that "localhost" stands for. */
const loopback = ["127.0.0.1", "::1"] as const;

/**
 * Below the range from which Linux takes the ports of outgoing connections (32768 and up): a member that is
 * down for a moment must not find its port taken by somebody's connection when it comes back.
 */
const lowest = 10_000;
const highest = 32_000;

/** Finds ports on which nothing listens now, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  let candidate = randomInt(lowest, highest);
  for (let tried = 0; tried < highest - lowest; tried += 1) {
    if (found.length === count) return found;
    if (await isFree(candidate)) found.push(candidate);
    candidate = candidate === highest ? lowest : candidate + 1;
  }
  throw new Error(
    `fewer than ${String(count)} ports between ${String(lowest)} and ${String(highest)} are free`,
  );
}

/** Whether a process could listen on this port of localhost now. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of loopback) {
    if (!(await canListen(port, host))) return false;
  }
  return true;
}

async function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer().listen({ port, host, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    // A machine without IPv6 has no ::1 to listen on.
    return errorCode(error) === "EADDRNOTAVAIL" || errorCode(error) === "EAFNOSUPPORT";
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
