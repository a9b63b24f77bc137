/** A client of etcd that watches: many watches on one stream. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchRequestSchema, WatchResponse } from "@dkv/protocol/etcdserverpb/rpc";
import type { PortOptions } from "./client-port.ts";
import { bytes, type EtcdClient, openEtcd, textOf, type ways } from "./etcd-client.ts";

type Request = MessageInitShape<typeof WatchRequestSchema>;
type Create = Extract<Request["requestUnion"], { case: "createRequest" }>["value"];

/** A stream of watches: what is asked goes out at once. */
export class Watching {
  readonly client: EtcdClient;
  readonly #answers: AsyncIterator<WatchResponse>;
  readonly #requests: Request[] = [];
  #wake: () => void = () => undefined;

  constructor(client: EtcdClient, signal: AbortSignal) {
    this.client = client;
    this.#answers = client.watch.watch(this.#asked(), { signal })[Symbol.asyncIterator]();
  }

  create(value: Create): void {
    this.#ask({ requestUnion: { case: "createRequest", value } });
  }

  cancel(watchId: bigint): void {
    this.#ask({ requestUnion: { case: "cancelRequest", value: { watchId } } });
  }

  requestProgress(): void {
    this.#ask({ requestUnion: { case: "progressRequest", value: {} } });
  }

  nothing(): void {
    this.#ask({});
  }

  async next(): Promise<WatchResponse> {
    const { value, done } = await this.#answers.next();
    assert.equal(done, false, "the stream goes on");
    return value;
  }

  /** The next answer, in short. */
  async told(): Promise<string> {
    return inShort(await this.next());
  }

  #ask(request: Request): void {
    this.#requests.push(request);
    this.#wake();
  }

  async *#asked(): AsyncGenerator<Request> {
    for (;;) {
      const request = this.#requests.shift();
      if (request !== undefined) yield request;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function inShort(answer: WatchResponse): string {
  const { watchId, created, canceled, compactRevision, cancelReason, fragment, events, header } = answer;
  const said = [
    created && "created",
    canceled && "canceled",
    compactRevision !== 0n && `compacted ${String(compactRevision)}`,
    cancelReason,
    fragment && "fragment",
    ...events.map(({ type, kv, prevKv }) => {
      const before = prevKv === undefined ? "" : ` was ${textOf(prevKv.value)}`;
      const now = type === 1 ? "deleted" : `=${textOf(kv?.value ?? new Uint8Array())}`;
      return `${textOf(kv?.key ?? new Uint8Array())}${now}@${String(kv?.modRevision)}${before}`;
    }),
  ];
  return `${String(watchId)}@${String(header?.revision)}: ${said.filter(Boolean).join(", ")}`;
}

export async function watching(
  t: TestContext,
  way: (typeof ways)[number],
  options?: PortOptions,
): Promise<Watching> {
  const client = await openEtcd(t, way, options);
  const ending = new AbortController();
  t.after(() => {
    ending.abort();
  });
  return new Watching(client, ending.signal);
}

export const put = (stream: Watching, key: string, value = "") =>
  stream.client.kv.put({ key: bytes(key), value: bytes(value) });
export const remove = (stream: Watching, key: string) => stream.client.kv.deleteRange({ key: bytes(key) });
