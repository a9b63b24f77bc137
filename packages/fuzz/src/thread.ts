/** What a thread does: it loads all targets, and runs the one that it is told. */
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { collectTargets, type Outcome, type RunOptions } from "./target.ts";

/** Given to a thread at its start. */
export interface ThreadData {
  readonly files: readonly string[];
  /** A count of 32 bits that goes up before each input: whoever looks at it sees a thread that hangs. */
  readonly progress: SharedArrayBuffer;
}

/** Ends a thread, which then has the time to clear up. */
export const noMoreTasks = "noMoreTasks";

/** One task for a thread. Its answer is an {@link Outcome}. */
export interface Task extends Omit<RunOptions, "onRun"> {
  readonly target: string;
}

/** First tells the names of the targets, then the outcome of each task. */
export type ThreadMessage =
  | { readonly kind: "targets"; readonly names: readonly string[] }
  | { readonly kind: "outcome"; readonly outcome: Outcome };

export async function serveTargets(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error("a thread is started by another one");
  const { files, progress } = workerData as ThreadData;
  const counter = new Int32Array(progress);
  const targets = collectTargets();
  for (const file of files) await import(pathToFileURL(file).href);
  const say = (message: ThreadMessage): void => {
    port.postMessage(message);
  };
  say({ kind: "targets", names: targets.map(({ name }) => name) });
  port.on("message", (task: Task | typeof noMoreTasks) => {
    // Of this thread alone.
    if (task === noMoreTasks) process.exit();
    const target = targets.find(({ name }) => name === task.target);
    if (target === undefined) throw new Error(`there is no target ${task.target}`);
    Atomics.store(counter, 0, 0);
    const onRun = (): void => void Atomics.add(counter, 0, 1);
    // What it does not catch is told to the other side as the error that ends this thread.
    void target.run({ ...task, onRun }).then((outcome) => {
      say({ kind: "outcome", outcome });
    });
  });
}
