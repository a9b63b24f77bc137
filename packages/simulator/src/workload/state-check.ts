/** Whoever runs the cluster compares what all members have stored. With sound disks none may differ. */
import { DkvError } from "@dkv/server/platform/errors";
import { SafetyViolation } from "../checkers/truth.ts";
import type { Hit } from "../faults/apply.ts";

export function checkStates({ cluster, fault, world, struck }: Hit): void {
  const { members } = cluster;
  const member = members[fault.targets[1] % members.length];
  if (member === undefined) return;
  member.life.after(0, "client", () => {
    struck();
    void member.replica.check(5000).then(
      (report) => {
        const isSound = cluster.machines.every(({ platter }) => platter?.isDamaged !== true);
        const differing = report.members.find(({ verdict }) => verdict === "differs");
        if (isSound && differing !== undefined)
          world.fail(
            new SafetyViolation(`a check at ${String(report.index)} says that ${differing.name} differs`),
          );
        if (report.members.every(({ verdict }) => verdict === "agrees"))
          world.probes.reached("state check agreed");
      },
      (error: unknown) => {
        if (!(error instanceof DkvError)) world.fail(error);
      },
    );
  });
}
