/** What flags and launchers are told of doors, and where members listen. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig, type Config } from "../../src/config/config.ts";
import { environmentName, flag, flagNames } from "../../src/config/flags.ts";
import type { Setters } from "../../src/config/value-reader.ts";
import { gatherValues } from "../../src/config/values.ts";
import { refusal } from "../launchers/refusal.ts";

const enough = ["--name=a", "--initial-cluster=a=localhost:2380", "--listen-peer-address=localhost:2380"];

async function configure(
  argv: readonly string[],
  environment: Record<string, string> = {},
  setters: Setters = {},
): Promise<Config> {
  const line = await gatherValues(argv, environment, "1.2.3");
  assert.ok(line.kind === "run");
  return readConfig(line.values, setters);
}

const refuses = (
  argv: readonly string[],
  pattern: RegExp,
  environment: Record<string, string> = {},
): Promise<void> => assert.rejects(configure(argv, environment), refusal(pattern));

describe("the flags of doors", () => {
  it("are true or false where they take no value", async () => {
    const forward = [...enough, "--listen-text-address=:9000"];
    for (const [given, isForwarded] of [
      ["--text-forward", true],
      ["--text-forward=true", true],
      ["--text-forward=false", false],
    ] as const)
      assert.equal((await configure([...forward, given])).text?.isForwarded, isForwarded);
    const switches = flagNames.filter((name) => flag(name).switch === true);
    assert.ok(switches.includes("query-interface"));
    for (const name of switches) {
      for (const wrong of ["maybe", "1", "TRUE", ""])
        await refuses(
          [...enough, `--${name}=${wrong}`],
          new RegExp(`^--${name} is "${wrong}"; write --${name}=true`),
        );
      const variable = environmentName(name);
      await refuses(enough, new RegExp(`^\\$${variable} is "maybe"; write one of true`), {
        [variable]: "maybe",
      });
    }
  });

  it("give each door an address of its own", async () => {
    const two = ["--listen-text-address=:9000", "--listen-binary-address=127.0.0.1:9000"];
    await refuses([...enough, ...two], /^--listen-binary-address and --listen-text-address are both 127/);
    await refuses(
      [...enough, "--listen-client-address=localhost:2380"],
      /^--listen-client-address and --listen-peer-address are both localhost:2380/,
    );
  });

  it("are called by what set them", async () => {
    const setters = { "listen-client-address": "-http", "initial-cluster": "config.json" };
    const config = await configure([...enough, "--listen-client-address=:1"], {}, setters);
    assert.deepEqual(config.clientPorts[0].address, { host: undefined, port: 1, setBy: "-http" });
    assert.equal(config.initialClusterSetBy, "config.json");
    await assert.rejects(
      configure([...enough, "--listen-client-address=x"], {}, setters),
      refusal(/^-http is "x"; write HOST:PORT/),
    );
  });
});
