import { fileURLToPath } from "node:url";
import { callOnce } from "../grpc/unary.ts";
import type { Target } from "../http2/dial.ts";
import { dkvMethods } from "./dkv-messages.ts";
import { startMembers } from "./members.ts";
import type { System } from "./system.ts";

const program = fileURLToPath(new URL("fixed-reply.js", import.meta.url));
const timeoutMs = 1_000;

/** Not a store: one server that answers at once, to see how much the load generator itself can do. */
export function ceiling(valueBytes: number): System {
  return {
    name: "ceiling",
    methods: dkvMethods,
    start: (surroundings) =>
      startMembers(
        {
          names: ["fixed-reply"],
          program: process.execPath,
          args: ({ clientAddress }) => [program, clientAddress, String(valueBytes)],
          isLeader,
        },
        surroundings,
      ),
  };
}

async function isLeader(target: Target): Promise<boolean> {
  await callOnce(target, { path: "/any", message: new Uint8Array(), timeoutMs });
  return true;
}
