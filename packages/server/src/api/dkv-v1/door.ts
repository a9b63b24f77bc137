import type { ServiceImpl } from "@connectrpc/connect";
import { DkvAPI, LeaseAPI, MembershipAPI } from "@dkv/protocol/dkv/v1/dkv";
import type { Member } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Door } from "../door.ts";
import type { ErrorTranslator } from "../errors.ts";
import { unaryMethod } from "../unary-method.ts";
import { changeResponse, serversResponse } from "./answers.ts";
import { ListFrames } from "./encoding/list-frames.ts";
import { TxnFrames } from "./encoding/txn-frames.ts";
import { FrameEncoder } from "./frames.ts";
import { keyMethods } from "./key-methods.ts";
import { LeaseService } from "./lease-service.ts";
import { ListService } from "./list-service.ts";
import { MembershipService } from "./membership-service.ts";
import { pipeLimits } from "./pipe/limits.ts";
import { PipeOperations } from "./pipe/operations.ts";
import { pipeMethod } from "./pipe/piped-call.ts";
import { DkvService } from "./service.ts";
import { plainMethod } from "./plain-methods.ts";
import { TxnService } from "./txn-service.ts";
import { watchMethod } from "./watch-call.ts";

export interface DkvDoorDeps {
  readonly clock: Clock;
  readonly translate: ErrorTranslator;
}

/**
 * The door of dkv.v1: keys, leases and membership.
 *
 * @param maxRequestBytes most bytes of keys and values of one request
 */
export function createDkvDoor(member: Member, maxRequestBytes: number, deps: DkvDoorDeps): Door {
  const keys = new DkvService(member, maxRequestBytes);
  const txns = new TxnService(member, maxRequestBytes);
  const operations = new PipeOperations({ keys, txns, translate: deps.translate });
  const lists = new ListService(member);
  const frames = new FrameEncoder();
  const txnFrames = new TxnFrames();
  const listFrames = new ListFrames();
  const plain = { member, frames, maxRequestBytes };
  const getMethod = unaryMethod(DkvAPI.method.get, async (request, timeoutMs) =>
    frames.get(await keys.get(request, timeoutMs)),
  );
  const setMethod = unaryMethod(DkvAPI.method.set, async (request, timeoutMs) =>
    frames.set(await keys.set(request, timeoutMs)),
  );
  const deleteMethod = unaryMethod(DkvAPI.method.delete, async (request, timeoutMs) =>
    frames.delete(await keys.delete(request, timeoutMs)),
  );
  return {
    services: [DkvAPI, LeaseAPI, MembershipAPI],
    routes(router) {
      router.service(DkvAPI, keyMethods(member, { keys, txns, lists, operations }, deps.clock));
      router.service(LeaseAPI, leaseMethods(new LeaseService(member)));
      router.service(MembershipAPI, membershipMethods(new MembershipService(member)));
    },
    hotMethods: [
      plainMethod("get", getMethod, plain),
      plainMethod("set", setMethod, plain),
      plainMethod("delete", deleteMethod, plain),
      unaryMethod(DkvAPI.method.txn, async (request, timeoutMs) =>
        txnFrames.frame(await txns.txn(request, timeoutMs)),
      ),
      unaryMethod(DkvAPI.method.list, async (request, timeoutMs) =>
        listFrames.frame(await lists.list(request, timeoutMs)),
      ),
    ],
    hotStreams: [
      pipeMethod({ member, operations, maxRequestBytes, limits: pipeLimits }),
      watchMethod({ member, clock: deps.clock }),
    ],
    largeStreams: [DkvAPI.method.watch, DkvAPI.method.pipe],
    resources: new Map(),
  };
}

function leaseMethods(service: LeaseService): ServiceImpl<typeof LeaseAPI> {
  return {
    grantLease: (request, context) => service.grant(request, context.timeoutMs()),
    keepLeaseAlive: (request, context) => service.keepAlive(request, context.timeoutMs()),
    revokeLease: (request, context) => service.revoke(request, context.timeoutMs()),
    getLease: (request, context) => service.get(request, context.timeoutMs()),
    listLeases: (_, context) => service.list(context.timeoutMs()),
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
