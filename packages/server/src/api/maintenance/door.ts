import { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";
import type { Member } from "../../consensus/member.ts";
import type { Door } from "../door.ts";
import type { Running } from "../running.ts";
import { BackupService } from "./backup-service.ts";
import { check } from "./check-service.ts";
import { status } from "./status-service.ts";

export interface MaintenanceDoorOptions {
  /** Of dkv. */
  readonly version: string;
  /** Backups that are being made, for anybody. */
  readonly backups: Running;
}

/** The door of operators. */
export function createMaintenanceDoor(
  member: Member,
  { version, backups: running }: MaintenanceDoorOptions,
): Door {
  const backups = new BackupService(member, running);
  return {
    services: [MaintenanceAPI],
    routes(router) {
      router.service(MaintenanceAPI, {
        check: (_, context) => check(member, context.timeoutMs()),
        snapshot: ({ serializable }, context) => backups.stream({ serializable, signal: context.signal }),
        status: () => status(member, version),
      });
    },
    hotMethods: [],
    resources: new Map(),
  };
}
