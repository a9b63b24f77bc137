/** The services of keys and leases, over a store that lives in a test. */
import { ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import {
  type DeleteResponseSchema,
  DkvAPI,
  type ErrorDetailSchema,
  LeaseAPI,
  type PipeRequest,
  type PipeResponseSchema,
  type ResponseHeaderSchema,
  type SetRequest,
  type SetResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";

import type { FakeStore, Init } from "./fake-store.ts";

type Header = Init<typeof ResponseHeaderSchema>;
export type Method = keyof typeof DkvAPI.method | keyof typeof LeaseAPI.method;

export interface StoreServices {
  readonly store: FakeStore;
  header(): Header;
  /** Is told before each answer, and can refuse it. Of what goes through a pipe: its own method. */
  note(method: Method, key: string, context: HandlerContext): Promise<void>;
  /** Is told when something was done, before it is answered. */
  done(method: Method, key: string, context: HandlerContext): Promise<void>;
}

export function serveStore(router: ConnectRouter, services: StoreServices): ConnectRouter {
  const { store, note, done } = services;
  const header = (): Header => ({ ...services.header(), revision: store.revision });
  const set = (request: SetRequest): Init<typeof SetResponseSchema> => {
    const previous = store.set(request);
    return { header: header(), ...(request.returnPrevious && previous !== undefined && { previous }) };
  };
  const remove = (request: Parameters<typeof store.delete>[0]): Init<typeof DeleteResponseSchema> => {
    const previous = store.delete(request);
    const deleted = previous !== undefined;
    return { header: header(), deleted, ...(request.returnPrevious && deleted && { previous }) };
  };

  async function operate(
    { operation }: PipeRequest,
    context: HandlerContext,
  ): Promise<Init<typeof PipeResponseSchema>["result"]> {
    switch (operation.case) {
      case "get":
        await note("get", operation.value.key, context);
        return {
          case: "get",
          value: { ...store.get(operation.value.key, operation.value.revision), header: header() },
        };
      case "set": {
        await note("set", operation.value.key, context);
        const value = set(operation.value);
        await done("set", operation.value.key, context);
        return { case: "set", value };
      }
      case "delete":
        await note("delete", operation.value.key, context);
        return { case: "delete", value: remove(operation.value) };
      case "txn":
        await note("txn", "", context);
        return { case: "txn", value: { ...store.txn(operation.value), header: header() } };
      case undefined:
        throw new Error("an empty operation");
    }
  }

  async function* pipe(requests: AsyncIterable<PipeRequest>, context: HandlerContext) {
    await note("pipe", "", context);
    const answers: Init<typeof PipeResponseSchema>[] = [];
    let news = Promise.withResolvers<void>();
    let running = 1;
    const tell = (answer?: Init<typeof PipeResponseSchema>): void => {
      if (answer !== undefined) answers.push(answer);
      running -= 1;
      news.resolve();
    };
    void (async () => {
      for await (const request of requests) {
        running += 1;
        const { id } = request;
        void operate(request, context).then(
          (result) => tell(result === undefined ? undefined : { id, result }),
          (error: unknown) => tell({ id, result: { case: "error", value: pipeError(error) } }),
        );
      }
    })().then(
      () => tell(),
      () => tell(),
    );
    for (;;) {
      for (let next = answers.shift(); next !== undefined; next = answers.shift()) yield next;
      if (running === 0 && answers.length === 0) return;
      await news.promise;
      news = Promise.withResolvers();
    }
  }

  return router
    .service(DkvAPI, {
      get: async (request, context) => {
        await note("get", request.key, context);
        return { ...store.get(request.key, request.revision), header: header() };
      },
      set: async (request, context) => {
        await note("set", request.key, context);
        const answer = set(request);
        await done("set", request.key, context);
        return answer;
      },
      delete: async (request, context) => {
        await note("delete", request.key, context);
        const answer = remove(request);
        await done("delete", request.key, context);
        return answer;
      },
      list: async (request, context) => {
        await note("list", "", context);
        const page = store.list(request);
        return { ...page, header: { ...header(), ...page.header } };
      },
      txn: async (request, context) => {
        await note("txn", "", context);
        const answer = { ...store.txn(request), header: header() };
        await done("txn", "", context);
        return answer;
      },
      compact: async ({ revision }, context) => {
        await note("compact", "", context);
        store.compact(revision);
        return { header: header() };
      },
      watch: async function* (request, context) {
        await note("watch", "", context);
        for await (const answer of store.watch(request, context.signal))
          yield { ...answer, header: header() };
      },
      pipe,
    })
    .service(LeaseAPI, {
      grantLease: async ({ id, ttlSeconds }, context) => {
        await note("grantLease", `${id}`, context);
        store.grant(id, ttlSeconds);
        await done("grantLease", `${id}`, context);
        return { id, ttlSeconds, header: header() };
      },
      keepLeaseAlive: async ({ id }, context) => {
        await note("keepLeaseAlive", `${id}`, context);
        const ttlSeconds = store.ttlOf(id);
        store.renewals.push(id);
        return { ttlSeconds, header: header() };
      },
      revokeLease: async ({ id }, context) => {
        await note("revokeLease", `${id}`, context);
        store.end(id);
        await done("revokeLease", `${id}`, context);
        return { header: header() };
      },
      getLease: async ({ id, returnKeys }, context) => {
        await note("getLease", `${id}`, context);
        const ttlSeconds = store.ttlOf(id);
        const keys = returnKeys ? store.keysOf(id).map((key) => ({ key })) : [];
        return { grantedTtlSeconds: ttlSeconds, ttlSeconds, keys, header: header() };
      },
      listLeases: async (_request, context) => {
        await note("listLeases", "", context);
        return { ids: [...store.leases.keys()], header: header() };
      },
    });
}

function pipeError(reason: unknown) {
  const error = ConnectError.from(reason);
  const [detail] = error.details;
  const value = detail !== undefined && "value" in detail ? detail.value : undefined;
  return {
    status: error.code,
    message: error.rawMessage,
    ...(value !== undefined && { detail: value as Init<typeof ErrorDetailSchema> }),
  };
}
