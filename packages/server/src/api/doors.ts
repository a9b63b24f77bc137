/** All doors of the client port. To serve another API, add its door here. */
import type { Member } from "../consensus/member.ts";
import { etcdVersion } from "../version.ts";
import { type DoorMaker, guardDoor } from "./auth/guarded-door.ts";
import type { Guard } from "./auth/guard.ts";
import { createDkvDoor } from "./dkv-v1/door.ts";
import type { Door } from "./door.ts";
import { createEtcdDoor, type EtcdDoorOptions } from "./etcd-v3/door.ts";
import { createGatewayDoor, type GatewayDoorOptions } from "./etcd-v3/gateway/door.ts";
import type { GatewayDeps } from "./etcd-v3/gateway/gateway.ts";
import { createHealthDoor } from "./health/door.ts";
import { createReadiness } from "./health/readiness.ts";
import { createMaintenanceDoor } from "./maintenance/door.ts";
import { createMetricsDoor } from "./metrics/door.ts";
import { createQueryDoor } from "./query/door.ts";
import { createReflectionDoor } from "./reflection/door.ts";
import type { Running } from "./running.ts";

export interface DoorsOptions extends EtcdDoorOptions, GatewayDoorOptions {
  /** Of dkv. */
  readonly version: string;
  /** Whether keys and members are also served by the query of a URL. False unless said otherwise. */
  readonly queryInterface?: boolean;
}

export interface DoorsDeps extends GatewayDeps {
  /** Of the member. */
  readonly guard: Guard;
}

/**
 * Those that serve keys or members only let in who may come in. How the member is, and what its schema says,
 * everybody may ask.
 */
export function createDoors(member: Member, options: DoorsOptions, deps: DoorsDeps): readonly Door[] {
  const { clock, guard } = deps;
  const etcd = guardDoor(etcdMaker(options, deps), guard);
  const guarded = [
    ...otherMakers(options, deps).map((make) => guardDoor(make, guard)),
    etcd,
    createGatewayDoor(etcd, options, deps),
  ];
  const services = guarded.flatMap((door) => door.services);
  const versions = { dkv: options.version, etcd: etcdVersion };
  const health = createHealthDoor(versions, {
    clock,
    member,
    readiness: createReadiness(member, options.shutdownSignal),
    services: new Set(services.map(({ typeName }) => typeName)),
  });
  const reflection = createReflectionDoor([...services, ...health.services]);
  return [...guarded, health, createMetricsDoor(member, versions), reflection];
}

function etcdMaker(options: DoorsOptions, { clock, translate, guard }: DoorsDeps): DoorMaker {
  const snapshots: Running = { count: 0 };
  return (member, asker) => createEtcdDoor(member, options, { clock, translate, guard, asker, snapshots });
}

function otherMakers(
  { maxRequestBytes, version, queryInterface = false }: DoorsOptions,
  { clock, translate }: DoorsDeps,
): readonly DoorMaker[] {
  const backups: Running = { count: 0 };
  return [
    (member) => createDkvDoor(member, maxRequestBytes, { clock, translate }),
    (member) => createMaintenanceDoor(member, { version, backups }),
    ...(queryInterface ? [(member: Member) => createQueryDoor(member, maxRequestBytes, { translate })] : []),
  ];
}
