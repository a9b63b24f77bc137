import { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";
import type { Member } from "../../consensus/member.ts";
import type { Door } from "../door.ts";
import { BackupService } from "./backup-service.ts";
import { check } from "./check-service.ts";

/** The door of operators. */
export function createMaintenanceDoor(member: Member): Door {
  const backups = new BackupService(member);
  return {
    services: [MaintenanceAPI],
    routes(router) {
      router.service(MaintenanceAPI, {
        check: (_, context) => check(member, context.timeoutMs()),
        snapshot: ({ serializable }, context) => backups.stream({ serializable, signal: context.signal }),
      });
    },
    hotMethods: [],
    resources: new Map(),
  };
}
