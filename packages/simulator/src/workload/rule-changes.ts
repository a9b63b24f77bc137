/**
 * Clients that enable rules of who may do what, change them, and now and then disable them. All others are
 * root, looked at before they ask: who was looked at too early is refused.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AuthCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { callerOf } from "../process/asked-by-root.ts";
import type { Doors } from "./doors.ts";
import { setOf } from "./operations.ts";

type Change = NonNullable<MessageInitShape<typeof AuthCommandSchema>["change"]>;

export const changeOf = (change: Change) =>
  ({ case: "auth", value: create(AuthCommandSchema, { change }) }) as const;

const foundation = [
  { case: "addUser", value: { name: "root" } },
  { case: "grantRole", value: { user: "root", role: "root" } },
  { case: "addUser", value: { name: "guest" } },
  { case: "enable", value: {} },
] as const satisfies readonly Change[];

export class RuleChanges {
  readonly #doors: Doors;

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  start(clients: number): void {
    this.#doors.run(clients, 500, () => this.#act());
  }

  async #act(): Promise<void> {
    const { random, world } = this.#doors;
    const name = `role ${String(random.below(4))}`;
    switch (random.pick(["found", "found", "add", "add", "delete", "guest", "guest", "disable"])) {
      case "found":
        for (const change of foundation) await this.#ask(change);
        return;
      case "add":
        await this.#ask({ case: "addRole", value: { name } });
        return;
      case "delete":
        await this.#ask({ case: "deleteRole", value: { name } });
        return;
      case "disable":
        if (await this.#ask({ case: "disable", value: {} })) world.probes.reached("rules changed");
        return;
      case "guest":
        await this.#beGuest();
    }
  }

  async #ask(change: Change): Promise<boolean> {
    const reply = await this.#doors.ask((member) => member.propose(changeOf(change)));
    return reply.kind === "ok";
  }

  /** Somebody without a permission. */
  async #beGuest(): Promise<void> {
    const reply = await this.#doors.ask(async (member) => {
      const caller = callerOf(member.auth, "guest");
      if (caller !== undefined) await member.propose(setOf("guest", "was here"), undefined, caller);
      return caller;
    });
    if (reply.kind === "failed") this.#doors.world.probes.reached("caller refused");
  }
}
