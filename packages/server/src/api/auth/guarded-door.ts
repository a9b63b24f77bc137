/**
 * A door that lets in whoever may come in, and shows them a member that lets them do what they may do.
 *
 *   request ─▶ who asks, and may they ask for that? ─▶ the door as made for them ─▶ their view of the member
 *
 * The door is made once for each user, and once for those who say nothing: those come in as long as there are
 * no rules. So a door that is made of this cannot forget to look, and without rules it is as fast as it was.
 */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
} from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, MethodImpl } from "@connectrpc/connect";
import type { Member } from "../../consensus/member.ts";
import { isBidi, isServerStreaming, isUnary } from "../bridge.ts";
import type { Door, PlainResource } from "../door.ts";
import { RefusedCall } from "../refused-call.ts";
import { fieldsOf, type RequestFields } from "../request-fields.ts";
import type { StreamCall, StreamClient, StreamMethod } from "../stream-method.ts";
import type { UnaryMethod } from "../unary-method.ts";
import type { Asker } from "./asker.ts";
import { type Implementation, type Routes, routesOf } from "./collected-routes.ts";
import { DeferredCall } from "./deferred-call.ts";
import type { Guard } from "./guard.ts";
import { PerAsker } from "./per-asker.ts";
import { refusalReply } from "./refusal-reply.ts";

/** Makes a door for one user. @param member as that user sees it */
export type DoorMaker = (member: Member, asker: Asker | undefined) => Door;

/** A door as made for one user. */
interface Made {
  readonly door: Door;
  readonly unary: ReadonlyMap<string, UnaryMethod>;
  readonly streams: ReadonlyMap<string, StreamMethod>;
  readonly routes: Routes;
}

type MadeDoors = PerAsker<Made>;

function madeDoors(make: DoorMaker, guard: Guard): MadeDoors {
  return new PerAsker((asker) => {
    const door = make(guard.viewOf(asker), asker);
    return {
      door,
      unary: new Map(door.hotMethods.map((method) => [method.path, method])),
      streams: new Map((door.hotStreams ?? []).map((method) => [method.path, method])),
      routes: routesOf(door),
    };
  });
}

/** @param make called for each user */
export function guardDoor(make: DoorMaker, guard: Guard): Door {
  const doors = madeDoors(make, guard);
  const { door, routes } = doors.nobodys;
  return {
    ...door,
    routes(router) {
      for (const [method, open] of routes) register(router, { method, open }, { doors, guard });
    },
    hotMethods: door.hotMethods.map((method) => guardedUnary(method, doors, guard)),
    hotStreams: (door.hotStreams ?? []).map((method) => guardedStream(method, doors, guard)),
    resources: new Map(
      [...door.resources].map(([path, resource]) => [
        path,
        guardedResource({ path, resource }, doors, guard),
      ]),
    ),
  };
}

function guardedUnary(open: UnaryMethod, doors: MadeDoors, guard: Guard): UnaryMethod {
  const { path } = open;
  const methodFor = (asker: Asker | undefined): UnaryMethod => doors.of(asker).unary.get(path) ?? open;
  return {
    ...open,
    call(message, timeoutMs, fields) {
      if (!guard.isOn) return open.call(message, timeoutMs, fields);
      const asker = admitted(guard, path, fields);
      if (asker instanceof Promise)
        return asker.then((found) => methodFor(found).call(message, timeoutMs, fields));
      return methodFor(asker).call(message, timeoutMs, fields);
    },
  };
}

/** As {@link Guard.admit}, which throws where this rejects. */
function admitted(guard: Guard, path: string, fields: RequestFields): ReturnType<Guard["admit"]> {
  try {
    return guard.admit(path, fields);
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

function guardedStream(open: StreamMethod, doors: MadeDoors, guard: Guard): StreamMethod {
  const { path } = open;
  const opened = (asker: Asker | undefined, client: StreamClient, fields: RequestFields): StreamCall =>
    (doors.of(asker).streams.get(path) ?? open).open(client, fields);
  const refused = (client: StreamClient, error: unknown): StreamCall =>
    open.refused?.(client, error) ?? new RefusedCall(client, error);
  return {
    ...open,
    open(client, fields) {
      if (!guard.isOn) return open.open(client, fields);
      try {
        const asker = guard.admit(path, fields);
        if (!(asker instanceof Promise)) return opened(asker, client, fields);
        return new DeferredCall(
          client,
          asker.then(
            (found) => () => opened(found, client, fields),
            (error: unknown) => () => refused(client, error),
          ),
        );
      } catch (error) {
        return refused(client, error);
      }
    },
  };
}

function guardedResource(
  { path, resource }: { readonly path: string; readonly resource: PlainResource },
  doors: MadeDoors,
  guard: Guard,
): PlainResource {
  return {
    ...resource,
    async answer(query, fields) {
      if (!guard.isOn) return resource.answer(query, fields);
      try {
        const asker = await guard.admit(path, fields);
        return await (doors.of(asker).door.resources.get(path) ?? resource).answer(query, fields);
      } catch (error) {
        return refusalReply(error);
      }
    },
  };
}

interface Guarded {
  readonly doors: MadeDoors;
  readonly guard: Guard;
}

/** What Connect calls, in place of what the door has for everybody. */
function register(
  router: ConnectRouter,
  { method, open }: { readonly method: DescMethod; readonly open: Implementation },
  { doors, guard }: Guarded,
): void {
  const path = `/${method.parent.typeName}/${method.name}`;
  const implementation = async (context: HandlerContext): Promise<Implementation> => {
    if (!guard.isOn) return open;
    const asker = await guard.admit(path, fieldsOf(context));
    return doors.of(asker).routes.get(method) ?? open;
  };
  if (isUnary(method)) {
    router.rpc(method, async (request, context) => {
      const found = (await implementation(context)) as MethodImpl<DescMethodUnary>;
      return found(request, context);
    });
  } else if (isServerStreaming(method)) {
    router.rpc(method, async function* (request, context) {
      const found = (await implementation(context)) as MethodImpl<DescMethodServerStreaming>;
      yield* found(request, context);
    });
  } else if (isBidi(method)) {
    router.rpc(method, async function* (requests, context) {
      const found = (await implementation(context)) as MethodImpl<DescMethodBiDiStreaming>;
      yield* found(requests, context);
    });
  } else {
    throw new Error(`${path} is of a kind that no door has yet`);
  }
}
