/** A thin client of etcd's API over gRPC in clear: any method by its name, with tokens, and without retries. */
import { type ClientHttp2Session, connect } from "node:http2";
import {
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodUnary,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { file_etcdserverpb_rpc } from "@dkv/protocol/etcdserverpb/rpc";
import { frame, Frames } from "./frames.ts";
import { type Refusal, statusOf } from "./status.ts";

/** How long a call may take until it counts as refused: longer than a server's own limits. */
const callMs = 20_000;

/**
 * Longer requests go over a connection of their own: who refuses one without reading it may leave no room on
 * the connection for others.
 */
const hugeBytes = 1 << 20;

export type Reply = { readonly kind: "answered"; readonly message: Message } | Refusal;

/** A stream that goes on in both directions until one side ends it. */
export interface Conversation {
  send(message: Message): void;
  /** Resolves when it is over, to what it failed with; undefined if it was closed. */
  readonly ended: Promise<Refusal | undefined>;
  close(): void;
}

/** One HTTP/2 connection to one member, made anew when it is lost. */
export class Wire {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  /** @param address host and port */
  constructor(address: string) {
    this.#address = address;
  }

  /** @param token of a user; undefined: nobody's */
  async ask(method: DescMethodUnary, request: Message, token: string | undefined): Promise<Reply> {
    const body = frame(toBinary(method.input, request));
    if (body.length <= hugeBytes) return this.#askWith(body, method, token);
    const own = new Wire(this.#address);
    const reply = await own.#askWith(body, method, token);
    own.close();
    return reply;
  }

  async #askWith(body: Buffer, method: DescMethodUnary, token: string | undefined): Promise<Reply> {
    const answers: Uint8Array[] = [];
    const call = this.#begin(method, token, (answer) => void answers.push(answer));
    call.stream.setTimeout(callMs, () => {
      call.stream.destroy(new Error("no answer in time"));
    });
    call.stream.end(body);
    const refusal = await call.ended;
    const [answer] = answers;
    if (refusal !== undefined) return refusal;
    if (answer === undefined)
      return { kind: "refused", code: "Internal", text: "an answer without a message" };
    return { kind: "answered", message: fromBinary(method.output, answer) };
  }

  /** Begins a stream. */
  converse(
    method: DescMethodBiDiStreaming,
    token: string | undefined,
    onMessage: (message: Message) => void,
  ): Conversation {
    const { stream, ended } = this.#begin(method, token, (body) => {
      onMessage(fromBinary(method.output, body));
    });
    let isClosed = false;
    return {
      send: (message) => void stream.write(frame(toBinary(method.input, message))),
      ended: ended.then((refusal) => (isClosed ? undefined : refusal)),
      close: () => {
        isClosed = true;
        stream.close();
      },
    };
  }

  close(): void {
    this.#session?.destroy();
  }

  #begin(method: DescMethod, token: string | undefined, onBody: (body: Uint8Array) => void) {
    const stream = this.#connected().request({
      ":method": "POST",
      ":path": `/${method.parent.typeName}/${method.name}`,
      "content-type": "application/grpc",
      te: "trailers",
      ...(token === undefined ? {} : { token }),
    });
    const frames = new Frames(onBody);
    stream.on("data", (bytes: Buffer) => {
      frames.take(bytes);
    });
    return { stream, ended: statusOf(stream) };
  }

  #connected(): ClientHttp2Session {
    const session = this.#session;
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const fresh = connect(`http://${this.#address}`);
    // Each of its streams is told.
    fresh.on("error", () => undefined);
    this.#session = fresh;
    return fresh;
  }
}

/** The method of a name such as `KV/Put`. Throws RangeError if there is none. */
export function methodOf(name: string): DescMethod {
  const [service, method] = name.split("/");
  const found = file_etcdserverpb_rpc.services
    .find((one) => one.name === service)
    ?.methods.find((one) => one.name === method);
  if (found === undefined) throw new RangeError(`etcd has no method ${name}`);
  return found;
}
