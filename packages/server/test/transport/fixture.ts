/** Members on this machine, strangers who dial or answer them, and what they log. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net, { type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import tls from "node:tls";
import { type Credentials, createAuthority, issueCertificate } from "@dkv/certificates";
import { nodeId, type NodeId, term } from "@dkv/raft";
import { type Logger, pino } from "pino";
import { encodeHello, type Hello, type HelloReply } from "../../src/codec/handshake-codec.ts";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import type { TlsPaths } from "../../src/platform/tls-files.ts";
import { FrameReader } from "../../src/transport/frame-reader.ts";
import type { PeerAddress, TransportOptions } from "../../src/transport/options.ts";
import type { PeerEvents, PeerFrame, PeerTransport } from "../../src/transport/peer-transport.ts";
import { createTcpTransport } from "../../src/transport/tcp-transport.ts";

export const clusterId = 0xc1n;
export const protocolVersion = 1;

const root = mkdtempSync(join(tmpdir(), "dkv-transport-"));
const closers: (() => void | Promise<void>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
  rmSync(root, { recursive: true });
});

/** Runs when the tests of the file are over. */
export function atEnd(close: () => void | Promise<void>): void {
  closers.push(close);
}

/** A list that can be waited for. */
export class Record<Item> {
  readonly items: Item[] = [];
  #waiting: (() => void)[] = [];

  add(item: Item): void {
    this.items.push(item);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves with the first item from position `from` on that fits; gives up after some seconds. */
  async find(fits: (item: Item) => boolean, from = 0): Promise<Item> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const found = this.items.slice(from).find((item) => fits(item));
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(`never came, among ${JSON.stringify(this.items.slice(-20), printable)}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      const timer = setTimeout(resolve, 500);
      await promise;
      clearTimeout(timer);
    }
  }
}

function printable(_key: string, value: unknown): unknown {
  return typeof value === "bigint"
    ? String(value)
    : value instanceof Uint8Array
      ? `${String(value.length)} bytes`
      : value;
}

export interface LogLine {
  readonly msg: string;
  readonly level: number;
  readonly peer?: string;
  readonly what?: string;
  readonly reason?: string;
}

export function recordingLogger(): { readonly logger: Logger; readonly log: Record<LogLine> } {
  const log = new Record<LogLine>();
  return {
    log,
    logger: pino({ level: "debug" }, { write: (line: string) => log.add(JSON.parse(line) as LogLine) }),
  };
}

/** Real time, but what happens every few seconds happens every few milliseconds. */
const hurriedClock: Clock = {
  ...systemClock,
  every: (periodMs, callback) => systemClock.every(Math.min(periodMs, 20), callback),
};

let names = 0;
function unusedName(): string {
  names += 1;
  return `d-${String(names)}`;
}

/** Below those that the system gives to whoever dials: such a one could be gone before the member listens. */
async function unusedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000);
    const server = net.createServer().listen(port, "localhost");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

export async function addresses(count: number): Promise<readonly PeerAddress[]> {
  const list: PeerAddress[] = [];
  for (let number = 1; number <= count; number += 1) {
    list.push({
      id: nodeId(BigInt(number)),
      name: `dkv-${String(number)}`,
      peerAddress: `localhost:${String(await unusedPort())}`,
      incarnation: 0n,
    });
  }
  return list;
}

export function portOf({ peerAddress }: PeerAddress): number {
  return Number(peerAddress.split(":")[1]);
}

export interface Arrival {
  readonly from: NodeId;
  readonly frame: PeerFrame;
}

export interface Member {
  readonly address: PeerAddress;
  readonly transport: PeerTransport;
  readonly arrivals: Record<Arrival>;
  /** Each time that the member was told of its removal. */
  readonly removals: Record<"removed">;
  /** Each time that the member was told that its data is lost, why. */
  readonly losses: Record<string>;
  readonly log: Record<LogLine>;
}

/** Makes the member at `position`, not yet started. */
export function member(
  all: readonly PeerAddress[],
  position: number,
  overrides: Partial<TransportOptions> = {},
) {
  const address = all[position];
  if (address === undefined) throw new RangeError("no such member");
  const { logger, log } = recordingLogger();
  const options: TransportOptions = {
    self: {
      id: address.id,
      name: address.name,
      clientAddress: `${address.name}:3000`,
      incarnation: address.id,
    },
    clusterId,
    listenAddresses: [{ host: "localhost", port: portOf(address) }],
    peers: all.filter((one) => one !== address),
    tls: undefined,
    maxFrameBytes: 4 * 2 ** 20,
    history: () => 0n,
    timing: { handshakeMs: 1_000, pingMs: 20, silenceMs: 2_000, backoff: { firstMs: 5, maxMs: 40 } },
    ...overrides,
  };
  const transport = createTcpTransport(options, { clock: hurriedClock, random: systemRandom, logger });
  atEnd(() => transport.close());
  return { address, transport, log, ...records() };
}

/** What a member was told, so far nothing. */
export function records(): Pick<Member, "arrivals" | "removals" | "losses"> {
  return { arrivals: new Record(), removals: new Record(), losses: new Record() };
}

/** What a member does with what the transport tells it; snapshots are refused. */
export function eventsOf({ arrivals, removals, losses }: ReturnType<typeof records>): PeerEvents {
  return {
    onFrame: (from, frame) => arrivals.add({ from, frame }),
    onRemoved: () => removals.add("removed"),
    onDataLost: (reason) => losses.add(reason),
    onSnapshot: () => Promise.resolve({ kind: "refuse", reason: "no snapshots here" }),
    onSnapshotComplete: () => undefined,
  };
}

export async function start(one: Member, overrides: Partial<PeerEvents> = {}): Promise<void> {
  await one.transport.start({ ...eventsOf(one), ...overrides });
}

export async function started(
  all: readonly PeerAddress[],
  position: number,
  overrides?: Partial<TransportOptions>,
): Promise<Member> {
  const one = member(all, position, overrides);
  await start(one);
  return one;
}

/** Until `from` can send to `to`. `times` counts connections made since the start. */
export async function connected(from: Member, to: PeerAddress, times = 1): Promise<void> {
  const made = () =>
    from.log.items.filter(({ msg, peer }) => msg === "connected to peer" && peer === to.name).length;
  await from.log.find(() => made() >= times);
}

export const emptyFrame: PeerFrame = {
  messages: [],
  forwarded: [],
  forwardedTerm: term(0),
  refusals: [],
  requests: [],
  responses: [],
};

/** A frame that carries a number, and weighs about `size` bytes. */
export function numbered(value: number, size = 4): PeerFrame {
  const data = Buffer.alloc(Math.max(4, size));
  data.writeUInt32BE(value);
  return { ...emptyFrame, forwarded: [data] };
}

export function numberIn({ frame }: Arrival): number {
  return Buffer.from(frame.forwarded[0] ?? []).readUInt32BE();
}

export function numbersFrom({ arrivals }: Member, { id }: PeerAddress): readonly number[] {
  return arrivals.items.filter(({ from }) => from === id).map(numberIn);
}

/** Until `value` sent by one arrives at the other. */
export async function exchange(from: Member, to: Member, value: number): Promise<void> {
  from.transport.send(to.address.id, numbered(value));
  await to.arrivals.find((arrival) => arrival.from === from.address.id && numberIn(arrival) === value);
}

/** Writes files as a member wants them. */
export function tlsFiles(authority: Credentials, { certificate, key }: Credentials): TlsPaths {
  const base = join(root, unusedName());
  const paths = { certFile: `${base}.pem`, keyFile: `${base}-key.pem`, trustedCaFile: `${base}-ca.pem` };
  writeFileSync(paths.certFile, certificate);
  writeFileSync(paths.keyFile, key);
  writeFileSync(paths.trustedCaFile, authority.certificate);
  return paths;
}

export const authority = await createAuthority();

export function issue(hosts: readonly string[], from: Credentials = authority): Promise<Credentials> {
  return issueCertificate(from, { commonName: "localhost", hosts, usages: ["serverAuth", "clientAuth"] });
}

/** Somebody at the other end of a connection, without any of our code in between. */
export class Stranger {
  readonly socket: Socket;
  readonly frames = new Record<Buffer>();
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    const reader = new FrameReader(2 ** 30);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.frames(chunk)) this.frames.add(frame);
    });
    atEnd(() => {
      socket.destroy();
    });
  }

  hello(all: readonly PeerAddress[], from: number, to: number, overrides: Partial<Hello> = {}): void {
    const ids = { from: all[from]?.id ?? nodeId(0n), to: all[to]?.id ?? nodeId(0n) };
    const nothing = {
      clientAddress: "",
      version: "",
      name: "",
      peerAddress: "",
      incarnation: 0n,
      history: 0n,
    };
    const rest = { protocolVersion, clusterId, purpose: "member", ...nothing } as const;
    this.socket.write(encodeHello({ ...ids, ...rest, ...overrides }));
  }
}

/** A reply as a member of the tests' cluster might give it. */
export function replyOf(overrides: Partial<HelloReply> = {}): HelloReply {
  const rest = {
    version: "",
    clusterId,
    from: nodeId(0n),
    removed: false,
    later: false,
    dataLost: false,
    incarnation: 0n,
    history: 0n,
  };
  return { refusal: "", clientAddress: "", introduction: undefined, ...rest, ...overrides };
}

/** Dials a member; with TLS if there are credentials. */
export function dial(address: PeerAddress, credentials?: Partial<Credentials>): Stranger {
  const target = { host: "localhost", port: portOf(address) };
  if (credentials === undefined) return new Stranger(net.connect(target));
  const { certificate, key } = credentials;
  const own = certificate === undefined || key === undefined ? {} : { cert: certificate, key };
  return new Stranger(tls.connect({ ...target, ca: authority.certificate, ...own }));
}

/** Answers at a member's address in its place; with TLS if there are credentials. */
export async function impostor(
  address: PeerAddress,
  credentials: Credentials | undefined,
  onStranger: (stranger: Stranger) => void,
): Promise<void> {
  const accept = (socket: Socket) => onStranger(new Stranger(socket));
  const server: Server =
    credentials === undefined
      ? net.createServer(accept)
      : tls.createServer(
          {
            cert: credentials.certificate,
            key: credentials.key,
            ca: authority.certificate,
            requestCert: true,
          },
          accept,
        );
  server.listen({ host: "localhost", port: portOf(address) });
  await once(server, "listening");
  atEnd(() => {
    server.close();
  });
}
