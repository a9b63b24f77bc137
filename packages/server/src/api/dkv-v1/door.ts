import type { ServiceImpl } from "@connectrpc/connect";
import { DkvAPI, MembershipAPI } from "@dkv/protocol/dkv/v1/dkv";
import type { Member } from "../../consensus/member.ts";
import type { Door } from "../door.ts";
import { unaryMethod } from "../unary-method.ts";
import { changeResponse, deleteResponse, getResponse, serversResponse, setResponse } from "./answers.ts";
import { FrameEncoder } from "./frames.ts";
import { MembershipService } from "./membership-service.ts";
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
      router.service(MembershipAPI, membershipMethods(new MembershipService(member)));
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

function membershipMethods(service: MembershipService): ServiceImpl<typeof MembershipAPI> {
  return {
    getServers: async (_, context) => serversResponse(await service.list(context.timeoutMs())),
    joinServer: async (request, context) => changeResponse(await service.join(request, context.timeoutMs())),
    leaveServer: async (request, context) =>
      changeResponse(await service.leave(request, context.timeoutMs())),
    promoteServer: async (request, context) =>
      changeResponse(await service.promote(request, context.timeoutMs())),
    replaceServer: async (request, context) =>
      changeResponse(await service.replace(request, context.timeoutMs())),
    updateServer: async (request, context) =>
      changeResponse(await service.update(request, context.timeoutMs())),
    moveLeader: async (request, context) =>
      changeResponse(await service.moveLeader(request, context.timeoutMs())),
  };
}
