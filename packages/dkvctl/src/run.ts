/** One run of dkvctl: from the command line to the exit code. */
import type { DkvClientError, ErrorCode, User } from "@dkv/client";

import type { CommandRequest } from "./command-line.ts";
import type { Io } from "./commands/command.ts";
import { completionScript, shellOf } from "./completion.ts";
import type { ClusterRequest } from "./dispatch.ts";
import { Exit, exitCodes, usageError } from "./exit.ts";
import { checkOperands } from "./operands.ts";
import { type Environment, formOf, type Settings, settle, usesTls, variableOf } from "./settings.ts";
import { version } from "./version.ts";

export interface RunDeps {
  readonly words: readonly string[];
  readonly environment: Environment;
  readonly io: Io;
}

/** @throws Exit for every end but success */
export async function run({ words, environment, io }: RunDeps): Promise<void> {
  const [{ parseCommandLine }, { helpText }] = await Promise.all([
    import("./command-line.ts"),
    import("./parser.ts"),
  ]);
  const request = parseCommandLine(words);
  switch (request.kind) {
    case "help":
      return io.print(await helpText(request.path));
    case "version":
      return io.print(`${version()}\n`);
    case "nothing":
      io.explain(await helpText([]));
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
  const { name } = request;
  if (name === "completion") return complete(request, surroundings);
  if (name === "snapshot status") return lookAtBackup(request, surroundings);
  return runAtCluster({ ...request, name }, surroundings);
}

/** Needs a file and no member. */
async function lookAtBackup(request: CommandRequest, { environment, io }: Surroundings): Promise<void> {
  checkOperands(request.operands);
  const { output } = formOf(request.flags, environment);
  const { snapshotStatus } = await import("./commands/snapshot-status.ts");
  return snapshotStatus({ output, io }, request.operands["FILE"] ?? "");
}

async function runAtCluster(request: ClusterRequest, { environment, io }: Surroundings): Promise<void> {
  const settings = settle(request.flags, environment);
  const { endpoints, tls, timeoutMs, output } = settings;
  const user = await identified(settings.user, io);
  checkOperands(
    request.operands,
    ["prefix", "from-key"].some((each) => request.switches.has(each)) ? "KEY" : undefined,
  );
  // Loaded late: a wrong command line and --help need none of it.
  const [{ DkvClient, DkvClientError }, { dispatch }] = await Promise.all([
    import("@dkv/client"),
    import("./dispatch.ts"),
  ]);
  const createClient = (): InstanceType<typeof DkvClient> => {
    try {
      return new DkvClient({ endpoints, tls, timeoutMs, user });
    } catch (error) {
      throw error instanceof DkvClientError ? usageError(error.message, { cause: error }) : error;
    }
  };
  using client = createClient();
  try {
    await dispatch(request, { client, usesTls: usesTls(settings), output, io });
  } catch (error) {
    if (!(error instanceof DkvClientError)) throw error;
    throw new Exit(exitCodeOf(error), `${error.message}${advice[error.code] ?? ""}`, { cause: error });
  }
}

/** Asks for the password if it is not given. */
async function identified(user: Settings["user"], io: Io): Promise<User | undefined> {
  if (user === undefined) return undefined;
  const { name } = user;
  if (user.password === undefined && !io.readsFromTerminal)
    throw usageError(
      `no password for ${name}, and nobody to ask for it: write --user=${name}:PASSWORD, or set $${variableOf("user")}`,
    );
  return { name, password: user.password ?? (await io.readSecret(`Password of ${name}: `)) };
}

function exitCodeOf({ code, retry }: DkvClientError): number {
  return code === "precondition_failed" && retry === "never" ? exitCodes.conditionNotMet : exitCodes.failure;
}

/** What to do about an error that has to do with flags or commands of this program. */
const advice: Partial<Readonly<Record<ErrorCode, string>>> = {
  server_speaks_tls: ": give --cacert (and --cert and --key if it asks for a client certificate)",
  server_speaks_cleartext:
    ": leave out --cacert, --cert and --key (and their variables), or ask for TLS there",
  unknown_ca: ": give the file of its authority with --cacert",
  client_certificate_required: ": give --cert and --key",
  client_certificate_refused: ": check --cert and --key",
  user_empty: ": give --user=NAME, or a client certificate",
  auth_failed: ": check --user",
  // The other reason for it, a permission for no keys, is not sent from here.
  invalid_auth_management:
    ": authentication is enabled, and needs the user root with the role root; dkvctl auth disable ends that",
  root_user_missing:
    ": dkvctl user add root, dkvctl role add root and dkvctl user grant-role root root make one that may do everything",
  root_role_missing:
    ": dkvctl user grant-role root root gives it, after dkvctl role add root if there is no such role",
};
