/**
 * The methods of etcd for clients that speak JSON: a request of HTTP for each call, and of those that stream
 * a line for each answer. They are called as by any other client.
 */
import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "../../../listener/request-handlers.ts";
import type { Clock } from "../../../platform/clock.ts";
import { prefixBytes } from "../../arriving-message.ts";
import type { BodyBudget } from "../../body-budget.ts";
import type { ByteMethods } from "../../bridge.ts";
import { callStream } from "../../called-stream.ts";
import type { ErrorTranslator } from "../../errors.ts";
import { methodRefusal, plainResponse, textResponse } from "../../plain-response.ts";
import type { StreamMethod } from "../../stream-method.ts";
import type { SizeLimit, UnaryMethod } from "../../unary-method.ts";
import { CallEnd } from "./call-end.ts";
import { textOfBytes } from "./json-messages.ts";
import { jsonTexts } from "./json-texts.ts";
import { methodAt } from "./paths.ts";
import { endOfStream, refusal } from "./refusals.ts";
import { allMessages, firstMessage } from "./requests.ts";
import { fieldsOf, timeoutOf } from "./terms.ts";

export interface GatewayOptions {
  readonly methods: ByteMethods;
  /** Of a message in bytes, not as JSON. */
  readonly limit: SizeLimit;
  /** How long a client may take to send one message. */
  readonly bodyTimeoutMs: number;
  /** Aborted when calls that do not end on their own are to end. */
  readonly shutdownSignal: AbortSignal;
}

export interface GatewayDeps {
  readonly clock: Clock;
  readonly budget: BodyBudget;
  /** What clients are told of errors. */
  readonly translate: ErrorTranslator;
}

/** Bytes take four thirds of their length in JSON, and there are names and white space. */
const textFactor = 2;

/** A call that has come. */
interface Arrived {
  readonly request: HttpRequest;
  readonly timeoutMs: number | undefined;
  readonly end: CallEnd;
}

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #deps: GatewayDeps;
  readonly #unary: ReadonlyMap<string, UnaryMethod>;
  readonly #streams: ReadonlyMap<string, StreamMethod>;

  constructor(options: GatewayOptions, deps: GatewayDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#unary = new Map(options.methods.unary.map((method) => [method.path, method]));
    this.#streams = new Map(options.methods.streams.map((method) => [method.path, method]));
  }

  /** Answers a request for a path of the gateway; undefined for any other. */
  answer(path: string, request: HttpRequest): Promise<HttpResponse> | undefined {
    const method = methodAt(path);
    if (method === undefined) return undefined;
    if (method === "nothing") return Promise.resolve(textResponse(404, "Not Found"));
    if (request.method !== "POST") return Promise.resolve(methodRefusal("Method Not Allowed", "POST"));
    return this.#call(method, request).catch((error: unknown) =>
      plainResponse(refusal(this.#deps.translate(error)), "whole"),
    );
  }

  async #call(method: DescMethod, request: HttpRequest): Promise<HttpResponse> {
    const timeoutMs = timeoutOf(request.header);
    const { shutdownSignal: shutdown } = this.#options;
    const end = new CallEnd({ gone: request.signal, shutdown, timeoutMs }, this.#deps.clock);
    const path = `/${method.parent.typeName}/${method.name}`;
    const [one, many] = [this.#unary.get(path), this.#streams.get(path)];
    try {
      if (one !== undefined) return await this.#answerOnce(method, one, { request, timeoutMs, end });
      if (many !== undefined) return await this.#answerMany(method, many, { request, timeoutMs, end });
    } catch (error) {
      end.stop();
      throw error;
    }
    end.stop();
    throw new ConnectError(`unknown service ${method.parent.typeName}`, Code.Unimplemented);
  }

  async #answerOnce(
    { input, output }: DescMethod,
    method: UnaryMethod,
    { request, timeoutMs, end }: Arrived,
  ): Promise<HttpResponse> {
    const message = await firstMessage(this.#texts(request, "request"), { input, ...this.#options });
    const frame = await end.orEnd(method.call(message, timeoutMs, fieldsOf(request.header)));
    end.stop();
    return jsonResponse(textOfBytes(output, frame.subarray(prefixBytes)));
  }

  async #answerMany(
    { input, output, methodKind }: DescMethod,
    method: StreamMethod,
    { request, end }: Arrived,
  ): Promise<HttpResponse> {
    const isAskedOften = methodKind === "bidi_streaming";
    const texts = this.#texts(request, isAskedOften ? "message" : "request");
    const terms = { input, ...this.#options };
    const requests = isAskedOften ? await allMessages(texts, terms) : only(await firstMessage(texts, terms));
    const caller = { fields: fieldsOf(request.header), signal: end.signal };
    const answers = callStream(method, requests, caller);
    // A stream that has said nothing yet may still be refused as a call is.
    const first = await answers.next();
    if (methodKind !== "unary") return this.#lines({ first, others: answers }, output, end);
    end.stop();
    await answers.return(undefined);
    if (first.done === true) throw new ConnectError("the method has given no answer", Code.Internal);
    return jsonResponse(textOfBytes(output, first.value));
  }

  #texts(request: HttpRequest, timed: "request" | "message"): AsyncGenerator<string> {
    const { limit, bodyTimeoutMs } = this.#options;
    const { clock, budget } = this.#deps;
    const terms = {
      maxBytes: textFactor * limit.maxBytes,
      tooLarge: limit.tooLarge,
      timed,
      timeoutMs: bodyTimeoutMs,
      onTimeout: () => {
        request.abandon();
      },
    };
    return jsonTexts(request.body, terms, { clock, budget, connection: request.connection });
  }

  #lines(answers: Answers, output: DescMessage, end: CallEnd): HttpResponse {
    const { translate } = this.#deps;
    return {
      status: 200,
      header: new Headers([["content-type", "application/json"]]),
      body: linesOf(answers, { output, end, translate }),
    };
  }
}

interface Answers {
  readonly first: IteratorResult<Uint8Array, void>;
  readonly others: AsyncGenerator<Uint8Array, void>;
}

interface LineTerms extends Pick<GatewayDeps, "translate"> {
  readonly output: DescMessage;
  readonly end: CallEnd;
}

/** A line for each answer. Behind the last one stands what went wrong. */
async function* linesOf(
  { first, others }: Answers,
  { output, end, translate }: LineTerms,
): AsyncGenerator<Uint8Array> {
  const line = (answer: Uint8Array): Buffer => Buffer.from(`{"result":${textOfBytes(output, answer)}}\n`);
  try {
    if (first.done === true) return;
    yield line(first.value);
    for await (const answer of others) yield line(answer);
  } catch (error) {
    yield Buffer.from(endOfStream(translate(error)));
  } finally {
    end.stop();
    await others.return();
  }
}

async function* only<Item>(item: Item): AsyncGenerator<Item> {
  yield await Promise.resolve(item);
}

const jsonResponse = (body: string): HttpResponse =>
  plainResponse({ status: 200, contentType: "application/json", body }, "whole");
