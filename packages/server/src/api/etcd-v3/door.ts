import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "@dkv/protocol/etcdserverpb/rpc";
import { Election } from "@dkv/protocol/v3electionpb/v3election";
import { Lock } from "@dkv/protocol/v3lockpb/v3lock";
import type { Member } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import { etcdVersion } from "../../version.ts";
import { bridgeMethods } from "../bridge.ts";
import type { Asker } from "../auth/asker.ts";
import type { Guard } from "../auth/guard.ts";
import type { Door } from "../door.ts";
import type { ErrorTranslator } from "../errors.ts";
import type { Running } from "../running.ts";
import { generatedStream } from "../generated-stream.ts";
import type { UnaryMethod } from "../unary-method.ts";
import { authMethods } from "./auth-methods.ts";
import { AuthService } from "./auth-service.ts";
import { concurrencyMethods } from "./concurrency/methods.ts";
import { OwnCalls } from "./concurrency/own-calls.ts";
import { ClusterService, type Schemes } from "./cluster-service.ts";
import { createEtcdTranslator } from "./errors.ts";
import { keepAliveMethod } from "./keep-alive-call.ts";
import { KvService } from "./kv-service.ts";
import { LeaseService } from "./lease-service.ts";
import { MaintenanceService } from "./maintenance-service.ts";
import { messageLimit } from "./message-limit.ts";
import { framedMethod, plainMethod } from "./method.ts";
import { RangeStreams } from "./range-stream.ts";
import { streamWithLeader, unaryWithLeader } from "./require-leader.ts";
import { snapshotPath, SnapshotStreams } from "./snapshot/stream.ts";
import { watchMethod } from "./watch-call.ts";

export interface EtcdDoorOptions {
  /** Most bytes of a request. */
  readonly maxRequestBytes: number;
  /** Most operations in one list of a transaction. Default: 128. */
  readonly maxTxnOps?: number | undefined;
  /** How members are reached. Without it, in clear. */
  readonly schemes?: Schemes | undefined;
  /** Time between two times at which watches are told how far they have come. Default: ten minutes. */
  readonly progressIntervalMs?: number | undefined;
}

export interface EtcdDoorDeps {
  readonly clock: Clock;
  readonly guard: Guard;
  readonly asker: Asker | undefined;
  /** Snapshots that are being made, for anybody. */
  readonly snapshots: Running;
  /** Of errors that have no name in etcd. */
  readonly translate: ErrorTranslator;
}

const defaultSchemes: Schemes = { peer: "http", client: "http" };

const defaultTxnOps = 128;

const defaultProgressIntervalMs = 600_000;

/** The door of clients of etcd, version 3 of its API. Every method has one form, whatever way it is called on. */
export function createEtcdDoor(member: Member, options: EtcdDoorOptions, deps: EtcdDoorDeps): Door {
  const translate = createEtcdTranslator(deps.translate);
  const { maxRequestBytes, progressIntervalMs = defaultProgressIntervalMs } = options;
  const { maxTxnOps = defaultTxnOps } = options;
  const limit = messageLimit(maxRequestBytes);
  const ranges = new RangeStreams(member);
  const snapshots = new SnapshotStreams(member, etcdVersion, deps.snapshots);
  const auth = new AuthService(member, deps.guard, deps.asker);
  const unary = [
    ...kvMethods(new KvService(member, { maxRequestBytes, maxTxnOps }), translate),
    ...leaseMethods(new LeaseService(member), translate),
    ...clusterMethods(new ClusterService(member, options.schemes ?? defaultSchemes), translate),
    ...maintenanceMethods(new MaintenanceService(member), translate),
    ...authMethods(auth, translate),
  ].map((method) => ({ ...unaryWithLeader(method, member), limit }));
  const streams = [
    generatedStream({ path: `/${KV.typeName}/${KV.method.rangeStream.name}`, translate }, (message) =>
      ranges.stream(message),
    ),
    generatedStream({ path: snapshotPath, translate }, () => snapshots.stream()),
    keepAliveMethod(member, translate),
    watchMethod({
      member,
      clock: deps.clock,
      translate,
      progressIntervalMs,
      fragmentBytes: limit.maxBytes,
    }),
  ].map((method) => ({ ...streamWithLeader(method, member), limit }));
  const waiting = concurrencyMethods(new OwnCalls({ unary, streams }, translate), translate).map(
    (method) => ({
      ...streamWithLeader(method, member),
      limit,
    }),
  );
  const byteMethods = { unary, streams: [...streams, ...waiting] };
  const services = [KV, Watch, Lease, Cluster, Maintenance, Auth, Lock, Election];
  const methods = services.flatMap((service) => service.methods);
  return {
    services,
    routes(router) {
      bridgeMethods(router, methods, byteMethods);
    },
    hotMethods: unary,
    hotStreams: byteMethods.streams,
    largeStreams: methods.filter(({ methodKind }) => methodKind !== "unary"),
    translate,
    resources: new Map(),
  };
}

function kvMethods(service: KvService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { range, put, deleteRange, txn, compact } = KV.method;
  return [
    framedMethod(range, translate, (request, call) => service.range(request, call)),
    framedMethod(put, translate, (request, call) => service.put(request, call)),
    framedMethod(deleteRange, translate, (request, call) => service.delete(request, call)),
    framedMethod(txn, translate, (request, call) => service.txn(request, call)),
    framedMethod(compact, translate, (request, call) => service.compact(request, call)),
  ];
}

function leaseMethods(service: LeaseService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { leaseGrant, leaseRevoke, leaseTimeToLive, leaseLeases } = Lease.method;
  return [
    framedMethod(leaseGrant, translate, (request, call) => service.grant(request, call)),
    plainMethod(leaseRevoke, translate, (request, call) => service.revoke(request, call)),
    plainMethod(leaseTimeToLive, translate, (request, call) => service.timeToLive(request, call)),
    plainMethod(leaseLeases, translate, (_, call) => service.list(call)),
  ];
}

function clusterMethods(service: ClusterService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { memberAdd, memberRemove, memberUpdate, memberList, memberPromote } = Cluster.method;
  return [
    plainMethod(memberAdd, translate, (request, call) => service.add(request, call)),
    plainMethod(memberRemove, translate, (request, call) => service.remove(request, call)),
    plainMethod(memberUpdate, translate, (request, call) => service.update(request, call)),
    plainMethod(memberList, translate, (request, call) => service.list(request, call)),
    plainMethod(memberPromote, translate, (request, call) => service.promote(request, call)),
  ];
}

function maintenanceMethods(service: MaintenanceService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { alarm, status, defragment, hash, hashKV, moveLeader, downgrade } = Maintenance.method;
  return [
    plainMethod(alarm, translate, (request, call) => service.alarm(request, call)),
    plainMethod(status, translate, () => service.status()),
    plainMethod(defragment, translate, () => service.defragment()),
    plainMethod(hash, translate, () => service.hash()),
    plainMethod(hashKV, translate, (request) => service.hashKv(request)),
    plainMethod(moveLeader, translate, (request, call) => service.moveLeader(request, call)),
    plainMethod(downgrade, translate, (request) => service.downgrade(request)),
  ];
}
