import { type Plain, textOf } from "../message/plain.ts";

/** What one server's ids and addresses are called, so that two servers can be compared. */
export class Names {
  readonly #members = new Map<string, string>();
  readonly #added: bigint[] = [];
  readonly #chosen: bigint[] = [];
  readonly #ports: readonly number[];

  /** @param ports of the server, each in the place of the same one of the other server */
  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** The member that is asked, `home`, and the others of its cluster from the start. */
  setMembers(ids: readonly bigint[]): void {
    for (const [at, id] of ids.entries())
      this.#members.set(String(id), at === 0 ? "home" : `peer ${String(at)}`);
  }

  addMember(id: bigint): void {
    if (this.#members.has(String(id))) return;
    this.#added.push(id);
    this.#members.set(String(id), `member ${String(this.#added.length)}`);
  }

  addChosenLease(id: bigint): void {
    this.#chosen.push(id);
  }

  member(id: Plain): Plain {
    return this.#members.get(textOf(id)) ?? id;
  }

  lease(id: Plain): Plain {
    const at = this.#chosen.indexOf(BigInt(textOf(id)));
    return at < 0 ? id : `lease ${String(at + 1)}`;
  }

  /** The id behind `member:…` or `chosen:…`; one that nobody has if there is no such thing yet. */
  resolve(kind: "member" | "chosen", which: string): bigint {
    const nobody = kind === "member" ? 0x1234_5678n : 0x8765_4321n;
    if (kind === "chosen") return this.#chosen[Number(which) - 1] ?? nobody;
    if (which === "newest") return this.#added.at(-1) ?? nobody;
    if (which !== "home") return this.#added[Number(which) - 1] ?? nobody;
    const home = [...this.#members].find(([, name]) => name === "home");
    return home === undefined ? nobody : BigInt(home[0]);
  }

  /** Ports and ids in it replaced. */
  inText(text: string): string {
    let named = text;
    for (const [at, port] of this.#ports.entries()) {
      named = named.replaceAll(
        new RegExp(`\\b(?:localhost|127\\.0\\.0\\.1):${String(port)}\\b`, "g"),
        `address ${String(at + 1)}`,
      );
    }
    for (const [id, name] of this.#members) {
      named = named.replaceAll(id, name).replaceAll(BigInt(id).toString(16), name);
    }
    return named;
  }
}
