/** What happens between members. */
import type { Effect, Link } from "../network/effects.ts";
import { detailsOf, impossible, type Scene, type Strike, type Struck, victimOf } from "./scene.ts";

function strikeLinks(
  { network }: Scene,
  what: string,
  disturbance: { readonly effect: Effect; hits(link: Link): boolean },
): Struck {
  const lift = network.impose(disturbance);
  return {
    kind: "struck",
    what,
    heal: async () => lift(),
  };
}

const block = { kind: "block" } as const;

/** Blocks whatever goes from one side to the other, and back. */
function separate(scene: Scene, one: readonly string[], other: readonly string[]): Struck {
  const hits = ({ from, to }: Link): boolean =>
    (one.includes(from) && other.includes(to)) || (other.includes(from) && one.includes(to));
  return strikeLinks(scene, `${one.join(", ")} | ${other.join(", ")}`, { effect: block, hits });
}

export const split: Strike = async (fault, scene) => {
  const random = detailsOf(fault);
  const names = random.shuffled(scene.fleet.members.map(({ name }) => name));
  if (names.length < 2) return impossible("there is one member only");
  const size = random.between(1, names.length - 1);
  return separate(scene, names.slice(0, size), names.slice(size));
};

/** What one member says does not arrive, what it is told does; or the other way round; or so on one link alone. */
export const oneWay: Strike = async (fault, scene) => {
  const victim = await victimOf(fault, scene);
  if (victim === undefined) return impossible("nobody runs");
  const { name } = victim;
  const random = detailsOf(fault);
  const others = scene.fleet.members.filter((member) => member !== victim);
  const [peer] = random.shuffled(others);
  if (peer === undefined) return impossible("there is one member only");
  switch (random.pick(["says", "hears", "link"] as const)) {
    case "says":
      return strikeLinks(scene, `nobody hears ${name}`, { effect: block, hits: ({ from }) => from === name });
    case "hears":
      return strikeLinks(scene, `${name} hears nobody`, { effect: block, hits: ({ to }) => to === name });
    case "link": {
      const hits = ({ from, to }: Link): boolean => from === name && to === peer.name;
      return strikeLinks(scene, `${peer.name} does not hear ${name}`, { effect: block, hits });
    }
  }
};

/** One member sees all, and on either side of it nobody sees the other side. */
export const bridge: Strike = async (fault, scene) => {
  const [middle, ...others] = detailsOf(fault).shuffled(scene.fleet.members.map(({ name }) => name));
  if (middle === undefined || others.length < 2) return impossible("there are fewer than three members");
  const half = Math.floor(others.length / 2);
  const struck = separate(scene, others.slice(0, half), others.slice(half));
  return struck.kind === "struck" ? { ...struck, what: `${struck.what}, ${middle} sees both` } : struck;
};

export const leaderAlone: Strike = async (_fault, scene) => {
  const leader = await scene.fleet.leader();
  if (leader === undefined) return impossible("nobody leads");
  const others = scene.fleet.members.filter((member) => member !== leader);
  return separate(
    scene,
    [leader.name],
    others.map(({ name }) => name),
  );
};

/** On all connections, or on those from and to one member. */
function strikeSome(scene: Scene, only: string | undefined, { what, effect }: Some): Struck {
  const hits = ({ from, to }: Link): boolean => only === undefined || from === only || to === only;
  return strikeLinks(scene, `${only ?? "all"}: ${what}`, { effect, hits });
}

interface Some {
  readonly what: string;
  readonly effect: Effect;
}

function strikeWith(draw: (random: ReturnType<typeof detailsOf>) => Some): Strike {
  return async (fault, scene) => {
    const random = detailsOf(fault);
    const victim = random.chance(0.5) ? await victimOf(fault, scene) : undefined;
    return strikeSome(scene, victim?.name, draw(random));
  };
}

export const delay = strikeWith((random) => {
  const ms = random.magnitude(10, 1_000);
  const jitterMs = random.below(2 * ms);
  return {
    what: `${String(ms)} to ${String(ms + jitterMs)} ms late`,
    effect: { kind: "delay", ms, jitterMs },
  };
});

export const silence = strikeWith((random) => {
  const percent = random.between(20, 80);
  return { what: `${String(percent)} of 100`, effect: { kind: "silence", probability: percent / 100 } };
});

export const reset = strikeWith((random) => {
  const meanMs = random.magnitude(20, 1_000);
  return { what: `every ${String(meanMs)} ms`, effect: { kind: "reset", meanMs } };
});

export const cut = strikeWith((random) => {
  const meanBytes = random.magnitude(1_000, 500_000);
  return { what: `after about ${String(meanBytes)} bytes`, effect: { kind: "cut", meanBytes } };
});
