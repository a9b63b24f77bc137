/** One run of dkvctl: from the command line to the exit code. */
import type { ErrorCode } from "@dkv/client";

import type { Request } from "./command-line.ts";
import type { CommandContext, Io } from "./commands/command.ts";
import { completionScript, shellOf } from "./completion.ts";
import { Exit, exitCodes, usageError } from "./exit.ts";
import { type Environment, settle } from "./settings.ts";
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
      throw usageError("no command given");
    case "command":
      return request.name === "completion"
        ? complete(request, { environment, io })
        : runCommand(request, { environment, io });
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

async function runCommand(request: CommandRequest, { environment, io }: Surroundings): Promise<void> {
  const { endpoints, tls, timeoutMs, output } = settle(request.flags, environment);
  const operands = checkOperands(request);
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
    await dispatch(request, operands, { client, output, io });
  } catch (error) {
    if (!(error instanceof DkvClientError)) throw error;
    throw new Exit(exitCodes.failure, `${error.message}${advice[error.code] ?? ""}`, { cause: error });
  }
}

async function dispatch(
  request: CommandRequest,
  { key, value }: Operands,
  context: CommandContext,
): Promise<void> {
  switch (request.name) {
    case "get":
      return (await import("./commands/get.ts")).get(context, {
        key,
        serializable: request.switches.has("serializable"),
      });
    case "set":
      return (await import("./commands/set.ts")).set(context, { key, value });
    case "delete":
      return (await import("./commands/delete.ts")).deleteKey(context, { key });
    case "member-list":
      return (await import("./commands/member-list.ts")).memberList(context);
    case "completion":
      return undefined;
  }
}

interface Operands {
  readonly key: string;
  readonly value: string;
}

/**
 * Node puts U+FFFD in place of bytes that are not UTF-8, so a key or value with it in may be another than
 * the one that was typed. What was meant is gone; guessing would read or overwrite a wrong key.
 */
function checkOperands({ operands: { KEY: key = "", VALUE: value = "" } }: CommandRequest): Operands {
  if (key.includes("\u{FFFD}"))
    throw usageError(
      "the key is not valid UTF-8 (or has the character U+FFFD in it, which looks the same here)",
    );
  if (value.includes("\u{FFFD}"))
    throw usageError(
      "the value is not valid UTF-8: give it on standard input, as in dkvctl set KEY - < FILE",
    );
  return { key, value };
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
