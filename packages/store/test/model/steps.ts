/** What may happen to a member, as commands of fast-check. */
import fc from "fast-check";
import { type Asked, foundation, someAsked } from "./asked.ts";
import type { Saving } from "./member.ts";
import { type Sketch, someKey, someLease, somePage, someRange } from "./sketches.ts";
import type { World } from "./world.ts";

type Step = fc.AsyncCommand<Count, World>;

/** Of the steps that were done. */
export interface Count {
  steps: number;
}

const step = (name: () => string, run: (world: World) => void | Promise<void>): Step => ({
  check: () => true,
  async run(count, world) {
    count.steps += 1;
    await run(world);
  },
  toString: name,
});

/** Often none, so that much is on its way at times. */
const someSavings = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom<Saving>("turn", "turn", "take", "write", "report"), {
      maxLength: 12,
      size: "max",
    }),
  },
);

/** Remembers what was drawn, for the report. */
function sketched<Drawn>(
  sketch: Sketch<Drawn>,
  run: (world: World, drawn: Drawn) => void | Promise<void>,
): Step {
  let drawn: Drawn | undefined;
  return step(
    () => fc.stringify(drawn),
    async (world) => {
      drawn = sketch(world.now);
      await run(world, drawn);
    },
  );
}

const apply = (sketch: Sketch<Asked>, isWanted: boolean, meanwhile: readonly Saving[]): Step =>
  sketched(sketch, (world, { operation, origin }) => world.apply(operation, { isWanted, meanwhile }, origin));

const found = step(
  () => "foundation",
  async (world) => {
    for (const sketch of foundation) {
      const { operation, origin } = sketch(world.now);
      await world.apply(operation, { isWanted: true, meanwhile: [] }, origin);
    }
  },
);

const someHistory = fc
  .tuple(fc.constantFrom("history", "previous"), fc.nat(20), fc.nat(3), fc.nat(5))
  .map(([what, back, sub, end]) =>
    sketched(
      ({ revision }) => ({
        what,
        from: { revision: Math.max(0, revision - back), sub },
        through: Math.max(0, revision - end),
      }),
      (world, { from, through }) => {
        world[what](from, through);
      },
    ),
  );

const someReading = fc.oneof(
  {
    weight: 3,
    arbitrary: someRange.map((sketch) =>
      sketched(sketch, (world, operation) => {
        world.range(operation);
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(somePage, fc.constantFrom(0, 2, 30, 60, Number.POSITIVE_INFINITY))
      .map(([sketch, maxBytes]) =>
        sketched(sketch, (world, operation) => {
          world.page(operation, maxBytes);
        }),
      ),
  },
  { weight: 1, arbitrary: someHistory },
);

export const someSteps = (most: number): fc.Arbitrary<Iterable<Step>> =>
  fc.commands(
    [
      fc.oneof(
        {
          weight: 30,
          arbitrary: fc
            .tuple(someAsked, fc.boolean(), someSavings)
            .map(([sketch, isWanted, meanwhile]) => apply(sketch, isWanted, meanwhile)),
        },
        { weight: 1, arbitrary: fc.constant(found) },
        { weight: 12, arbitrary: someReading },
        {
          weight: 8,
          arbitrary: someSavings.map((savings) =>
            step(
              () => savings.join(" "),
              (world) => world.save(savings),
            ),
          ),
        },
        {
          weight: 4,
          arbitrary: someKey.map((key) =>
            step(
              () => `get ${JSON.stringify(key)}`,
              (world) => {
                world.get(key);
              },
            ),
          ),
        },
        {
          weight: 1,
          arbitrary: someLease.map((id) =>
            step(
              () => `lease ${String(id)}`,
              (world) => {
                world.leases(id);
              },
            ),
          ),
        },
        {
          weight: 4,
          arbitrary: fc
            .constantFrom("settle", "settle", "newTerm", "crash", "snapshot", "clear")
            .map((name) =>
              step(
                () => name,
                (world) => world[name](),
              ),
            ),
        },
      ),
    ],
    { maxCommands: most, size: "max" },
  );
