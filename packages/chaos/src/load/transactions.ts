/**
 * Clients that append to several lists, and read them, in one transaction. A list is the keys that begin
 * with its name, in the order in which they were made.
 */
import {
  checkTransactions,
  type ListAction,
  type ListResult,
  lostElements,
  renderTransactionVerdict,
  type TransactionHistory,
} from "@dkv/checker";
import { DkvClientError, op, type TxnOperation } from "@dkv/client";
import { nowMs } from "../platform/time.ts";
import { Crew, type Turn } from "./crew.ts";
import type { OperationResult, Store } from "./store.ts";
import type { Window } from "./window.ts";
import { Windows } from "./windows.ts";
import type { Workload, WorkloadOptions } from "./workload.ts";

type ListWindow = Window<readonly ListAction[], ListResult>;

const loops = { count: 4, name: "lists", paceMs: 100 };
const listsOfWindow = 3;
const windowSize = 500;
const windowMs = 20_000;

export class Transactions implements Workload {
  readonly title = "transactions";
  readonly promise = "strictly serializable, nothing acknowledged is missing";
  readonly #crew: Crew;
  readonly #windows: Windows<readonly ListAction[], ListResult>;
  readonly #work: Promise<unknown>;
  #elements = 0;

  /** Begins at once. */
  constructor(options: WorkloadOptions) {
    const crew = new Crew(options);
    this.#crew = crew;
    const keysOf = (window: number): readonly string[] =>
      Array.from({ length: listsOfWindow }, (_, list) => `lists/${String(window)}/${String(list)}/`);
    const close = (window: ListWindow): Promise<void> => this.#close(window);
    this.#windows = new Windows({ crew, keysOf, size: windowSize, ms: windowMs, close });
    this.#work = Promise.all([crew.loop(loops, (turn) => this.#act(turn)), this.#windows.run()]);
    this.#work.catch(() => undefined);
  }

  get tally() {
    return this.#crew.tally;
  }

  get verdict() {
    return this.#crew.verdict;
  }

  get details(): string {
    return `in ${String(this.#windows.count)} windows`;
  }

  async stop(): Promise<void> {
    this.#crew.end();
    await this.#work;
    await this.#windows.finish();
  }

  async abandon(): Promise<void> {
    this.#crew.abandon();
    await this.#work;
  }

  async #act({ name, random, client }: Turn): Promise<boolean> {
    const window = this.#windows.current;
    const actions = Array.from({ length: random.between(1, 4) }, (): ListAction => {
      const key = random.pick(window.keys);
      if (random.chance(0.4)) return { kind: "read", key };
      this.#elements += 1;
      // Those of one transaction are in the order of their names.
      return { kind: "append", key, element: String(this.#elements).padStart(8, "0") };
    });
    const { pending, end } = window.begin(name, actions);
    try {
      const reply = await this.#crew.ask(() => ask(client, actions));
      if (reply.kind !== "ok") {
        pending[reply.kind]();
        return false;
      }
      pending.ok(reply.value);
      if (actions.some(({ kind }) => kind === "append")) this.tally.wrote(nowMs());
      return true;
    } finally {
      end();
    }
  }

  async #close(window: ListWindow): Promise<void> {
    const reads = window.keys.map((key) => ({ kind: "read", key }) as const);
    const final = await this.#crew.insist("the lists", async (client) => {
      const { pending, end } = window.begin("last reader", reads);
      try {
        const lists = await ask(client, reads);
        pending.ok(lists);
        return lists;
      } catch (error) {
        pending.failed();
        throw error;
      } finally {
        end();
      }
    });
    if (final === undefined) return;
    const lists = new Map(window.keys.map((key, at) => [key, final[at] ?? []]));
    this.#crew.complain(complaintAboutLists(window.history(), lists));
    await this.#remove(window.keys);
  }

  /** So that long runs do not fill disks. What is left, as its outcome is unknown, disturbs nobody. */
  async #remove(lists: readonly string[]): Promise<void> {
    const success = lists.map((prefix) => op.delete({ prefix }));
    await this.#crew.clients
      .all()
      .txn({ success })
      .catch((error: unknown) => {
        if (!(error instanceof DkvClientError)) throw error;
      });
  }
}

/** @param final what each list was seen to hold when all had ended; the history has that read too */
export function complaintAboutLists(
  history: TransactionHistory,
  final: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const verdict = checkTransactions(history);
  if (verdict.kind !== "serializable") return renderTransactionVerdict(verdict);
  const [lost] = lostElements(history, final);
  return lost === undefined
    ? undefined
    : `${lost.element} was appended to ${lost.key}, acknowledged, and is missing`;
}

async function ask(client: Store, actions: readonly ListAction[]): Promise<ListResult> {
  const { results } = await client.txn({ success: actions.map(operationOf) });
  return actions.map((action, at) => (action.kind === "read" ? listIn(action.key, results[at]) : undefined));
}

function operationOf(action: ListAction): TxnOperation {
  return action.kind === "append"
    ? op.set(`${action.key}${action.element}`, "")
    : op.get({ prefix: action.key });
}

/** What is set in one transaction has one revision, and is in the order of its names. */
function listIn(list: string, result: OperationResult | undefined): readonly string[] | undefined {
  if (result?.kind !== "get") return undefined;
  return [...result.found]
    .sort((a, b) => a.createRevision - b.createRevision || (a.key < b.key ? -1 : 1))
    .map(({ key }) => key.slice(list.length));
}
