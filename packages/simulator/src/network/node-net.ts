/**
 * What the peer transport gets for `node:net` (hooks.ts): the same functions, on the simulated network. So
 * all of the production transport runs: its greetings, its links, its frames, its snapshots.
 */
import type { Network } from "./network.ts";
import { SimServer } from "./server.ts";
import { SimSocket } from "./socket.ts";

/** One world at a time: the functions of `node:net` belong to nobody. */
let stage: Network | undefined;

export function setStage(network: Network): void {
  stage = network;
}

export function createServer(_options: object, onConnection: (socket: SimSocket) => void): SimServer {
  return new SimServer(onStage(), onConnection);
}

/** SYN is sent again after a second, and after three. */
const connectTries = [0, 1_000_000, 3_000_000];

export function connect({ port }: { readonly port: number }): SimSocket {
  const network = onStage();
  const life = network.caller;
  const machine = port - firstPort;
  const socket = new SimSocket(network, life, { machine, port });
  for (const delayUs of connectTries) {
    life.after(delayUs, "socket", () => {
      reach(network, { socket, port, machine });
    });
  }
  return socket;
}

/** Machine n listens on this port plus n. */
export const firstPort = 7000;

interface Attempt {
  readonly socket: SimSocket;
  readonly port: number;
  readonly machine: number;
}

function reach(network: Network, { socket, port, machine }: Attempt): void {
  const { conditions, world } = network;
  const from = socket.life.machine;
  if (socket.remote !== undefined || socket.destroyed) return;
  if (conditions.isBlocked(from, machine) || conditions.isBlocked(machine, from) || !network.isUp(machine))
    return;
  const thereUs = conditions.delayUs(from, machine);
  const server = network.serverAt(port);
  if (server === undefined) {
    world.probes.reached("connection refused");
    socket.life.after(2 * thereUs, "socket", () => {
      socket.broken(`connect ECONNREFUSED 10.0.0.${String(machine + 1)}:${String(port)}`);
    });
    return;
  }
  // The system accepts connections whatever the process is doing.
  const accepted = new SimSocket(network, server.life, { machine: from, port: network.nextPort() });
  accepted.isUnseen = true;
  accepted.remote = socket;
  socket.remote = accepted;
  server.life.after(thereUs, "socket", () => {
    if (accepted.destroyed) return;
    accepted.isUnseen = false;
    if (server.listening) server.emit("connection", accepted);
    else accepted.destroy();
  });
  socket.life.after(2 * thereUs, "socket", () => {
    if (!socket.destroyed) socket.emit("connect");
  });
}

function onStage(): Network {
  if (stage === undefined) throw new Error("nothing is being simulated");
  return stage;
}
