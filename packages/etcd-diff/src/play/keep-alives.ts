import { create, type DescMethodBiDiStreaming } from "@bufbuild/protobuf";
import { LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema } from "@dkv/protocol/etcdserverpb/rpc";
import { type Convert, type PlainMessage, toPlain } from "../message/plain.ts";
import { within } from "../platform/time.ts";
import { said } from "./status.ts";
import { patienceMs } from "./watch-stream.ts";
import { type Conversation, methodOf, type Wire } from "./wire.ts";

const method = methodOf("Lease/LeaseKeepAlive") as DescMethodBiDiStreaming;

/** Renews leases, one at a time, on a stream that stays open. */
export class KeepAlives {
  readonly #wire: Wire;
  readonly #convert: Convert;
  #stream: { readonly conversation: Conversation; readonly token: string | undefined } | undefined;
  #answer: (answer: PlainMessage) => void = () => undefined;

  constructor(wire: Wire, convert: Convert) {
    this.#wire = wire;
    this.#convert = convert;
  }

  /** Resolves to what the server says of this lease. */
  async ask(id: bigint, token: string | undefined): Promise<PlainMessage> {
    const { promise, resolve } = Promise.withResolvers<PlainMessage>();
    this.#answer = resolve;
    this.#open(token).send(create(LeaseKeepAliveRequestSchema, { ID: id }));
    return (await within(promise, patienceMs)) ?? { "no answer": true };
  }

  close(): void {
    this.#stream?.conversation.close();
    this.#stream = undefined;
  }

  #open(token: string | undefined): Conversation {
    if (this.#stream !== undefined && this.#stream.token === token) return this.#stream.conversation;
    this.close();
    const conversation = this.#wire.converse(method, token, (message) => {
      this.#answer(toPlain(LeaseKeepAliveResponseSchema, message, this.#convert));
    });
    this.#stream = { conversation, token };
    void conversation.ended.then((refusal) => {
      if (this.#stream?.conversation !== conversation) return;
      this.#stream = undefined;
      this.#answer(refusal === undefined ? { ended: true } : said(refusal));
    });
    return conversation;
  }
}
