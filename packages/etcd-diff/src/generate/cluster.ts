/** Requests about members, as far as a cluster survives them: no voter is added that never comes. */
import type { Plain } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";

const badUrls = ["", "localhost:1", "http://localhost", "ftp://localhost:1", "http://localhost:1/x"] as const;

export function clusterSteps(random: Random): readonly Step[] {
  return random.weighted<() => readonly Step[]>([
    [8, () => [list]],
    [1, () => [add([random.pick(badUrls)])]],
    [1, () => [add([])]],
    [2, () => [mistaken(random)]],
    [1, () => learner(random)],
  ])();
}

/** Nobody listens there. One does not come twice: etcd makes ids of addresses and the second. */
function url(random: Random): string {
  return `http://${random.pick(["localhost", "127.0.0.1"])}:${String(random.between(1, 60_000))}`;
}

const list: Step = { call: "Cluster/MemberList", request: {} };

function add(peerURLs: readonly string[]): Step {
  return { call: "Cluster/MemberAdd", request: { peerURLs, isLearner: true } };
}

/** About members that are not there, or are something else. */
function mistaken(random: Random): Step {
  return random.weighted<() => Step>([
    [1, () => ({ call: "Cluster/MemberRemove", request: { ID: 4711 } })],
    [1, () => ({ call: "Cluster/MemberUpdate", request: { ID: 4711, peerURLs: [url(random)] } })],
    [
      1,
      () => ({ call: "Cluster/MemberPromote", request: { ID: random.pick<Plain>([4711, "member:home"]) } }),
    ],
    [1, () => ({ call: "Maintenance/MoveLeader", request: { targetID: 4711 } })],
  ])();
}

/**
 * One that never starts: it comes, is asked what cannot be done with it, and goes. It is not told to move: to
 * an address that is none, that ends an etcd; to another, etcd 3.4 forgets that it is a learner.
 */
function learner(random: Random): readonly Step[] {
  const which = "member:newest";
  const first = url(random);
  const some = (step: Step): readonly Step[] => (random.chance(0.5) ? [step] : []);
  return [
    add([first]),
    ...some(add([first])),
    ...some(add([url(random)])),
    list,
    ...some({ call: "Cluster/MemberPromote", request: { ID: which } }),
    ...some({ call: "Maintenance/MoveLeader", request: { targetID: which } }),
    { call: "Cluster/MemberRemove", request: { ID: which } },
    ...some({ call: "Cluster/MemberRemove", request: { ID: which } }),
    list,
  ];
}
