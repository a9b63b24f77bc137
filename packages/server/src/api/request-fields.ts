/** What is known of a request beside its message, whatever way it came. */
import { createContextKey, type HandlerContext } from "@connectrpc/connect";

export interface RequestFields {
  /** Of the request's header, by its lower-case name: what gRPC calls metadata. */
  get(name: string): string | null | undefined;
  /** The same object for all requests of one connection. */
  readonly connection: object | undefined;
}

/** By which Connect carries the connection to its methods. */
export const connectionKey = createContextKey<object | undefined>(undefined, {
  description: "the connection of a request",
});

export function fieldsOf({
  requestHeader,
  values,
}: Pick<HandlerContext, "requestHeader" | "values">): RequestFields {
  return { get: (name) => requestHeader.get(name), connection: values.get(connectionKey) };
}
