/** One run of dkvctl: from the command line to the exit code. */
import type { ErrorCode } from "@dkv/client";

import type { Request } from "./command-line.ts";
import type { CommandName } from "./command-table.ts";
import type { CommandContext, Io } from "./commands/command.ts";
import { completionScript, shellOf } from "./completion.ts";
import { Exit, exitCodes, usageError } from "./exit.ts";
import { checkOperands } from "./operands.ts";
import { type Environment, formOf, settle, usesTls } from "./settings.ts";
import { version } from "./version.ts";

export interface RunDeps {
  readonly words: readonly string[];
  readonly environment: Environment;
  readonly io: Io;
}

type CommandRequest = Extract<Request, { kind: "command" }>;

/** @throws Exit for every end but success */
export async function run({ words, environment, io }: RunDeps): Promise<void> {
  const { helpText, parseCommandLine } = await import("./command-line.ts");
  const request = parseCommandLine(words);
  switch (request.kind) {
    case "help":
      return io.print(await helpText(request.command));
    case "version":
      return io.print(`${version()}\n`);
    case "nothing":
      io.explain(await helpText(undefined));
      throw usageError("no command given: write one of those above");
    case "command":
      return runCommand(request, { environment, io });
  }
}

type Surroundings = Omit<RunDeps, "words">;

async function complete({ operands }: CommandRequest, { environment, io }: Surroundings): Promise<void> {
  const named = operands["SHELL"];
  const shell = shellOf(named ?? environment["SHELL"]);
  if (shell !== undefined) return io.print(completionScript(shell));
  throw usageError(
    `no completion for the shell "${named ?? environment["SHELL"] ?? ""}": write dkvctl completion bash or dkvctl completion zsh`,
  );
}

async function runCommand(request: CommandRequest, surroundings: Surroundings): Promise<void> {
  if (request.name === "completion") return complete(request, surroundings);
  if (request.name === "snapshot" && snapshotAction(request) === "status")
    return lookAtBackup(request, surroundings);
  return runAtCluster(request, surroundings);
}

function snapshotAction(request: CommandRequest): "save" | "status" {
  const action = operand(request, "ACTION");
  if (action === "save" || action === "status") return action;
  throw usageError(
    `dkvctl snapshot knows no "${action}": write dkvctl snapshot save FILE, or snapshot status FILE`,
  );
}

/** Needs a file and no member. */
async function lookAtBackup(request: CommandRequest, { environment, io }: Surroundings): Promise<void> {
  checkOperands(request.operands);
  const { output } = formOf(request.flags, environment);
  const { snapshotStatus } = await import("./commands/snapshot-status.ts");
  return snapshotStatus({ output, io }, operand(request, "FILE"));
}

async function runAtCluster(request: CommandRequest, { environment, io }: Surroundings): Promise<void> {
  const settings = settle(request.flags, environment);
  const { endpoints, tls, timeoutMs, output } = settings;
  checkOperands(request.operands);
  // Loaded late: a wrong command line and --help need none of it.
  const { DkvClient, DkvClientError } = await import("@dkv/client");
  const createClient = (): InstanceType<typeof DkvClient> => {
    try {
      return new DkvClient({ endpoints, tls, timeoutMs });
    } catch (error) {
      throw error instanceof DkvClientError ? usageError(error.message, { cause: error }) : error;
    }
  };
  using client = createClient();
  try {
    await dispatch(request, { client, usesTls: usesTls(settings), output, io });
  } catch (error) {
    if (!(error instanceof DkvClientError)) throw error;
    throw new Exit(exitCodes.failure, `${error.message}${advice[error.code] ?? ""}`, { cause: error });
  }
}

async function dispatch(request: CommandRequest, context: CommandContext): Promise<void> {
  const { name } = request;
  switch (name) {
    case "get":
      return (await import("./commands/get.ts")).get(context, {
        key: operand(request, "KEY"),
        serializable: request.switches.has("serializable"),
      });
    case "set":
      return (await import("./commands/set.ts")).set(context, {
        key: operand(request, "KEY"),
        value: operand(request, "VALUE"),
      });
    case "delete":
      return (await import("./commands/delete.ts")).deleteKey(context, { key: operand(request, "KEY") });
    case "member-list":
      return (await import("./commands/member-list.ts")).memberList(context);
    case "check":
      return (await import("./commands/check.ts")).check(context);
    case "snapshot":
      return (await import("./commands/snapshot-save.ts")).snapshotSave(context, {
        path: operand(request, "FILE"),
        force: request.switches.has("force"),
        serializable: request.switches.has("serializable"),
      });
    case "completion":
      return undefined;
    default:
      return changeMembership({ ...request, name }, context);
  }
}

type ChangeName = Extract<CommandName, "move-leader" | `member-${string}`>;

async function changeMembership(
  request: CommandRequest & { readonly name: Exclude<ChangeName, "member-list"> },
  context: CommandContext,
): Promise<void> {
  const commands = await import("./commands/membership.ts");
  const id = operand(request, request.name === "member-replace" ? "NEW" : "ID");
  switch (request.name) {
    case "member-join":
      return commands.memberJoin(context, { id, address: operand(request, "ADDRESS") });
    case "member-leave":
      return commands.memberLeave(context, { id });
    case "member-promote":
      return commands.memberPromote(context, { id });
    case "member-replace": {
      const place = { id, address: operand(request, "ADDRESS") };
      return commands.memberReplace(context, { oldId: operand(request, "OLD"), ...place });
    }
    case "member-update":
      return commands.memberUpdate(context, { id, address: operand(request, "ADDRESS") });
    case "move-leader":
      return commands.moveLeader(context, { id });
  }
}

function operand({ operands }: CommandRequest, name: string): string {
  return operands[name] ?? "";
}

/** What to do about an error that has to do with flags of this program. */
const advice: Partial<Readonly<Record<ErrorCode, string>>> = {
  server_speaks_tls: ": give --cacert (and --cert and --key if it asks for a client certificate)",
  server_speaks_cleartext:
    ": leave out --cacert, --cert and --key (and their variables), or ask for TLS there",
  unknown_ca: ": give the file of its authority with --cacert",
  client_certificate_required: ": give --cert and --key",
  client_certificate_refused: ": check --cert and --key",
};
