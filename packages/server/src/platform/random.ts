import { randomBytes } from "node:crypto";

/** Randomness, as a parameter: the simulator hands in a seeded one. */
export interface Random {
  /** A whole number from 0 up to and without `bound`, which is at most 2^32. */
  below(bound: number): number;
  /** 64 random bits, never 0. */
  name(): bigint;
}

export const systemRandom: Random = {
  below: (bound) => Math.floor((randomBytes(4).readUInt32BE() / 2 ** 32) * bound),
  name: () => randomBytes(8).readBigUInt64BE() || 1n,
};
