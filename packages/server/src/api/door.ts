/**
 * What one API brings to the client port. To serve another one, add its door to the list in client-api.ts.
 */
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { UnaryMethod } from "./unary-method.ts";

export interface Door {
  /** Services it answers; reflection and health list them. */
  readonly services: readonly DescService[];
  /** Registers them with Connect, which serves gRPC, gRPC-Web and Connect. */
  routes(router: ConnectRouter): void;
  /** Those of its methods that are called so often that gRPC requests for them bypass Connect. */
  readonly hotMethods: readonly UnaryMethod[];
  /** Plain HTTP resources by path. */
  readonly resources: ReadonlyMap<string, PlainResource>;
}

/** Answers GET and HEAD. Only the parameters of the query are given. */
export type PlainResource = (query: URLSearchParams) => PlainReply;

export interface PlainReply {
  readonly status: number;
  readonly contentType: "application/json" | "text/plain; charset=utf-8";
  readonly body: string;
}
