/**
 * What one API brings to the client port. To serve another one, add its door to the list in doors.ts.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "../listener/request-handlers.ts";
import type { ErrorTranslator } from "./errors.ts";
import type { RequestFields } from "./request-fields.ts";
import type { StreamMethod } from "./stream-method.ts";
import type { UnaryMethod } from "./unary-method.ts";

export interface Door {
  /** Services it answers; reflection and health list them. */
  readonly services: readonly DescService[];
  /** Registers them with Connect, which serves gRPC, gRPC-Web and Connect. */
  routes(router: ConnectRouter): void;
  /** Those of its methods that are called so often that gRPC requests for them bypass Connect. */
  readonly hotMethods: readonly UnaryMethod[];
  /** Likewise, of those that stream. */
  readonly hotStreams?: readonly StreamMethod[];
  /** Those that stream and are asked with messages as large as those of other methods; undefined for none. */
  readonly largeStreams?: readonly DescMethod[];
  /** What clients of these services are told of errors, where that is not what those of dkv's own API are told. */
  readonly translate?: ErrorTranslator;
  /** Plain HTTP resources by path. */
  readonly resources: ReadonlyMap<string, PlainResource>;
  /** Answers requests with bodies of its own kind; undefined for other paths. Does not reject. */
  answer?(path: string, request: HttpRequest): Promise<HttpResponse> | undefined;
}

/** Answers requests by what stands in their query; their bodies are not read. */
export interface PlainResource {
  /** Which methods it answers. The answer is the same for all of them, but for HEAD, which gets no body. */
  readonly methods: "all" | "GET and HEAD";
  /**
   * Does not reject.
   *
   * @param query what stands behind the question mark, each character a byte; empty if there is none
   */
  answer(query: string, fields: RequestFields): PlainReply | Promise<PlainReply>;
}

export interface PlainReply {
  readonly status: number;
  /** Left out of an answer without a body. */
  readonly contentType?:
    | "application/json"
    | "text/plain; charset=utf-8"
    | "text/plain; version=0.0.4; charset=utf-8"
    | "application/octet-stream";
  readonly body: string | Uint8Array;
  /** Whether credentials are asked for, or others. */
  readonly asksForCredentials?: boolean;
}
