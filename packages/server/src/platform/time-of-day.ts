/** The time of day, as a parameter. Machines do not agree upon it: nothing goes by it that must not go wrong. */
export interface TimeOfDay {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
}

export const systemTimeOfDay: TimeOfDay = { nowMs: () => Date.now() };
