import { DkvAPI, MembershipAPI } from "@dkv/protocol/dkv/v1/dkv";
import type { Member } from "../../consensus/member.ts";
import type { Door } from "../door.ts";
import { unaryMethod } from "../unary-method.ts";
import { deleteResponse, getResponse, serversResponse, setResponse } from "./answers.ts";
import { FrameEncoder } from "./frames.ts";
import { DkvService } from "./service.ts";

/** The door of dkv.v1: keys and membership. */
export function createDkvDoor(member: Member, maxRequestBytes: number): Door {
  const service = new DkvService(member, maxRequestBytes);
  const frames = new FrameEncoder();
  return {
    services: [DkvAPI, MembershipAPI],
    routes(router) {
      router.service(DkvAPI, {
        get: async (request, context) => getResponse(await service.get(request, context.timeoutMs())),
        set: async (request, context) => setResponse(await service.set(request, context.timeoutMs())),
        delete: async (request, context) =>
          deleteResponse(await service.delete(request, context.timeoutMs())),
      });
      router.service(MembershipAPI, {
        getServers: () => serversResponse(service.getServers()),
        joinServer: () => service.joinServer(),
        leaveServer: () => service.leaveServer(),
      });
    },
    hotMethods: [
      unaryMethod(DkvAPI.method.get, async (request, timeoutMs) =>
        frames.get(await service.get(request, timeoutMs)),
      ),
      unaryMethod(DkvAPI.method.set, async (request, timeoutMs) =>
        frames.set(await service.set(request, timeoutMs)),
      ),
      unaryMethod(DkvAPI.method.delete, async (request, timeoutMs) =>
        frames.delete(await service.delete(request, timeoutMs)),
      ),
    ],
    resources: new Map(),
  };
}
