import { frameMessage, requestHeaders } from "../../grpc/message.ts";
import { call } from "../../grpc/unary.ts";
import { dial, type Target } from "../../http2/dial.ts";
import { nowMs } from "../../platform/clock.ts";

const connections = 4;
const callsPerConnection = 64;

/** One call for each lease. */
export interface EachLease {
  readonly path: string;
  readonly leases: number;
  readonly encode: (lease: number) => Uint8Array;
  /** What is wrong with an answer is thrown. */
  readonly onAnswer: (lease: number, message: Buffer) => void;
  readonly signal: AbortSignal;
}

/** Makes many calls at a time. Resolves to the seconds that it took; rejects when one fails. */
export async function callForEach(target: Target, plan: EachLease): Promise<number> {
  const startedMs = nowMs();
  let next = 1;
  const take = (): number => next++;
  await Promise.all(Array.from({ length: connections }, () => callOnOne(target, take, plan)));
  return (nowMs() - startedMs) / 1000;
}

async function callOnOne(target: Target, take: () => number, plan: EachLease): Promise<void> {
  const { leases, encode, onAnswer } = plan;
  const headers = requestHeaders(target, plan.path);
  const { connection, close } = await dial(target, plan.signal);
  const callInTurn = async (): Promise<void> => {
    for (let lease = take(); lease <= leases; lease = take())
      onAnswer(lease, await call(connection, { headers, body: frameMessage(encode(lease)) }));
  };
  try {
    await Promise.all(Array.from({ length: callsPerConnection }, callInTurn));
  } finally {
    close();
  }
}
