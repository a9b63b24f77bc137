/** Ports of this machine. */
import { once } from "node:events";
import { createServer } from "node:net";
import { pid } from "node:process";

/** The loopback addresses that "localhost" stands for. */
const loopback = ["127.0.0.1", "::1"] as const;

/** Above those that the walkthroughs of older systems name. */
const lowest = 13_000;

/**
 * Below the range from which Linux takes the ports of outgoing connections (32768 and up): a member that is
 * down for a moment must not find its port taken by somebody's connection when it comes back.
 */
const highest = 32_000;

/** What a process of some members takes at once. */
const portsOfProcess = 8;

/**
 * Nobody holds what it has found free: what another process finds at the same moment has to be other ports.
 * Processes that live at the same time have different ids, and so begin to look at different ports.
 */
let next = lowest + ((pid * portsOfProcess) % (highest - lowest));

/** Finds ports on which nothing listens now, all different, and others than those found before. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let tried = 0; tried < highest - lowest; tried += 1) {
    if (found.length === count) return found;
    const candidate = next;
    next = candidate + 1 === highest ? lowest : candidate + 1;
    if (await isFree(candidate)) found.push(candidate);
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
