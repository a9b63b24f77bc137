/** What etcd's flags, environment and config file come to, without starting anything. */
import assert from "node:assert/strict";
import { type Config, readConfig } from "../../src/config/config.ts";
import { gatherValues } from "../../src/config/values.ts";
import { etcd } from "../../src/launchers/etcd/etcd.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

export type Environment = Readonly<Record<string, string>>;

export async function launch(words: readonly string[], environment: Environment = {}) {
  const said: string[] = [];
  const result = await etcd(words, { environment, clock: systemClock, say: (line) => said.push(line) });
  return { result, said };
}

/** What a member would be started with. */
export async function configure(
  words: readonly string[],
  environment: Environment = {},
): Promise<{ readonly config: Config; readonly said: readonly string[] }> {
  const { result, said } = await launch(words, environment);
  assert.ok(result.kind === "start");
  const commandLine = await gatherValues(result.words, {}, "1.2.3");
  assert.ok(commandLine.kind === "run");
  return { config: readConfig(commandLine.values, result.setters), said };
}

export async function refuses(
  pattern: RegExp,
  words: readonly string[],
  environment: Environment = {},
): Promise<void> {
  await assert.rejects(configure(words, environment), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/, "one line");
    return true;
  });
}
