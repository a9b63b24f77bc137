/** The order among commands of one connection that have the same key. Others may overtake each other. */
export interface LaneCommand {
  readonly isRead: boolean;
  /** Whether it has been told to begin. */
  hasBegun: boolean;
}

/** A write goes alone, reads go together; nobody begins before what came earlier and is in the way is done. */
export class Lanes<Command extends LaneCommand> {
  readonly #lanes = new Map<string, Command[]>();

  /** Whether it may begin at once. Otherwise a call of {@link leave} gives it out. */
  enter(key: string, command: Command): boolean {
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#lanes.set(key, [command]);
      command.hasBegun = true;
      return true;
    }
    command.hasBegun = command.isRead && lane.every(({ isRead }) => isRead);
    lane.push(command);
    return command.hasBegun;
  }

  /** It is done. Gives out those that may begin now. */
  leave(key: string, command: Command): readonly Command[] {
    const lane = this.#lanes.get(key);
    if (lane === undefined || lane.length === 1) {
      this.#lanes.delete(key);
      return none;
    }
    lane.splice(lane.indexOf(command), 1);
    const firstWrite = lane.findIndex(({ isRead }) => !isRead);
    const free = lane.slice(0, firstWrite < 0 ? lane.length : Math.max(1, firstWrite));
    const begun = free.filter(({ hasBegun }) => !hasBegun);
    for (const one of begun) one.hasBegun = true;
    return begun;
  }
}

const none: readonly never[] = [];
