import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { checkInitialCluster, checkPeersAreSafe, readConfig, type Config } from "../../src/config/config.ts";
import { environmentName, flagNames } from "../../src/config/flags.ts";
import { gatherValues } from "../../src/config/values.ts";
import { StartupError } from "../../src/platform/startup-error.ts";

const directory = mkdtempSync(join(tmpdir(), "dkv-config-"));
after(() => rmSync(directory, { recursive: true }));

const three = "a=localhost:2380,b=localhost:2381,c=localhost:2382";
const enough = ["--name=a", `--initial-cluster=${three}`, "--listen-peer-address=localhost:2380"];

/** As a first start reads them. */
async function configure(argv: readonly string[], environment: Record<string, string> = {}): Promise<Config> {
  const line = await gatherValues(argv, environment, "1.2.3");
  assert.equal(line.kind, "run");
  const config = readConfig(line.kind === "run" ? line.values : new Map());
  checkInitialCluster(config);
  checkPeersAreSafe(config);
  return config;
}

async function refuses(
  argv: readonly string[],
  pattern: RegExp,
  environment: Record<string, string> = {},
): Promise<void> {
  await assert.rejects(configure(argv, environment), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.equal(error.kind, "usage");
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/, "one line");
    return true;
  });
}

describe("the flags of dkv", () => {
  it("have the defaults of the system dkv descends from", async () => {
    const config = await configure(enough);
    assert.equal(config.dataDir, "data");
    assert.deepEqual(config.clientPorts, [{ address: { host: undefined, port: 3000 }, tls: undefined }]);
    assert.equal(config.heartbeatIntervalMs, 100);
    assert.equal(config.electionTimeoutMs, 1000);
    assert.equal(config.maxRequestBytes, 1.5 * 2 ** 20);
    assert.equal(config.peerTls, undefined);
    assert.equal(config.snapshotCount, 10_000);
    assert.equal(config.snapshotCatchupEntries, 5000);
    assert.equal(config.autoPromote, true);
    assert.equal(config.autopilotCleanupAfterMs, undefined);
    assert.equal(config.corruptCheckIntervalMs, undefined);
    assert.equal(config.diskFreeReserveBytes, 256 * 2 ** 20);
    assert.equal(config.quotaBytes, 0);
    assert.equal(config.autoCompaction, undefined);
    assert.equal(config.forceNewCluster, false);
    assert.equal(config.text, undefined);
    assert.equal(config.listenBinaryAddress, undefined);
  });

  it("serve the protocols without authentication to this machine alone, unless a host is given", async () => {
    const given = async (...argv: string[]) => {
      const { text, listenBinaryAddress } = await configure([...enough, ...argv]);
      return { text, listenBinaryAddress };
    };
    assert.deepEqual(await given("--listen-text-address=:9000", "--listen-binary-address=:2221"), {
      text: { listenAddress: { host: "127.0.0.1", port: 9000 }, isForwarded: false },
      listenBinaryAddress: { host: "127.0.0.1", port: 2221 },
    });
    assert.deepEqual(
      await given("--listen-text-address=0.0.0.0:9000", "--text-forward", "--listen-binary-address=[::]:1"),
      {
        text: { listenAddress: { host: "0.0.0.0", port: 9000 }, isForwarded: true },
        listenBinaryAddress: { host: "::", port: 1 },
      },
    );
    await refuses([...enough, "--text-forward"], /^--text-forward is given without --listen-text-address/);
    await refuses(
      [...enough, "--listen-binary-address=9000"],
      /--listen-binary-address is "9000"; write HOST/,
    );
  });

  it("may be repeated or separated by commas where they are lists", async () => {
    const once = await configure(enough);
    const repeated = await configure([
      "--name=a",
      "--listen-peer-address=localhost:2380",
      "--initial-cluster",
      "a=localhost:2380",
      "--initial-cluster",
      " b=localhost:2381 , c=localhost:2382",
    ]);
    assert.deepEqual(repeated.initialCluster, once.initialCluster);
  });

  it("win over the environment, that over the config file, that over the default", async () => {
    const file = join(directory, "levels.json");
    writeFileSync(
      file,
      JSON.stringify({ "data-dir": "file", "log-level": "warn", "initial-cluster-token": "file" }),
    );
    const environment = { DKV_DATA_DIR: "environment", DKV_LOG_LEVEL: "error", DKV_CONFIG: file };
    const config = await configure([...enough, "--data-dir=flag"], environment);
    assert.equal(config.dataDir, "flag");
    assert.equal(config.logLevel, "error");
    assert.equal(config.initialClusterToken, "file");
    assert.equal(config.logFormat, "text");
  });

  it("are refused in one line with a config file that cannot be read or is no JSON", async () => {
    const file = join(directory, "dkv.json");
    writeFileSync(file, "# dkv\n\nA distributed key-value store\n");
    await refuses([`--config=${file}`], /^--config: .*dkv\.json is not JSON: Unexpected token/);
    const missing = join(directory, "none.json");
    await assert.rejects(configure([`--config=${missing}`]), {
      kind: "environment",
      message: `--config: ${missing} does not exist`,
    });
  });

  it("each have an environment variable", async () => {
    for (const name of flagNames.filter((one) => one !== "config")) {
      const line = await gatherValues([], { [environmentName(name)]: "given" }, "1.2.3");
      assert.equal(line.kind === "run" && line.values.get(name)?.text, "given");
    }
  });

  it("take only lists of names with addresses that can be dialled", async () => {
    await refuses(["--name=a", "--initial-cluster=a"], /a.*NAME=HOST:PORT/);
    await refuses(["--name=a", "--initial-cluster=a=:2380"], /without a host/);
    await refuses(["--name=a", "--initial-cluster=a=localhost:99999"], /99999/);
    await refuses(["--name=a", "--initial-cluster=a=localhost:1,a=localhost:2"], /the name a twice/);
    await refuses(
      ["--name=a", "--initial-cluster=a=localhost:1,b=localhost:1"],
      /the address localhost:1 twice/,
    );
  });

  it("want the member's own name among the members", async () => {
    await refuses(
      ["--name=x", `--initial-cluster=${three}`],
      /--name x is not in --initial-cluster, which has a, b, c/,
    );
  });

  it("name no more, and nothing longer, than a membership table takes", async () => {
    const members = (count: number) =>
      Array.from({ length: count }, (_, at) => `m${String(at)}=localhost:${String(at + 1)}`).join(",");
    const listen = "--listen-peer-address=localhost:2380";
    const name = "n".repeat(255);
    const address = `${"h".repeat(254)}:65535`;
    assert.ok(await configure([`--name=${name}`, `--initial-cluster=${name}=${address}`, listen]));
    assert.ok(await configure(["--name=m0", `--initial-cluster=${members(1024)}`, listen]));
    await refuses([`--name=${"é".repeat(128)}`, listen], /^--name has é+\.\.\., of 256 bytes.*most 255$/);
    for (const state of ["new", "existing"]) {
      const given = ["--name=a", listen, `--initial-cluster-state=${state}`];
      const cluster = `--initial-cluster=a=localhost:1`;
      await refuses([...given, `${cluster},n${name}=localhost:2`], /-cluster has n+\.\.\., of 256 bytes/);
      await refuses([...given, `${cluster},b=h${address}`], /-cluster has h+\.\.\., of 261 bytes.*most 260$/);
      await refuses([...given, `--initial-cluster=${members(1025)}`], /has 1025 members; name at most 1024/);
    }
  });

  it("want of who joins a cluster only whom to ask, with or without its own name", async () => {
    const joining = [...enough.slice(1), "--initial-cluster-state=existing"];
    const config = await configure(["--name=x", ...joining]);
    assert.equal(config.initialCluster.length, 3);
    assert.equal((await configure(["--name=a", ...joining])).initialClusterState, "existing");
    await refuses(
      ["--name=a", "--initial-cluster=a=localhost:1", "--initial-cluster-state=existing"],
      /--initial-cluster has only a itself.*: name at least one other member$/,
    );
    const elsewhere = "--advertise-peer-address=localhost:1";
    assert.ok(await configure(["--name=x", ...joining, elsewhere]));
    await refuses(["--name=a", ...joining, elsewhere], /differs from a=localhost:2380/);
    await refuses(["--name=x", ...joining, "--initial-cluster=a=localhost:1"], /the name a twice/);
  });

  it("take durations of hours, and 0 for never where that is meant", async () => {
    const configured = await configure([
      ...enough,
      "--autopilot-cleanup-after=1.5h",
      "--corrupt-check-interval=30m",
    ]);
    assert.equal(configured.autopilotCleanupAfterMs, 5_400_000);
    assert.equal(configured.corruptCheckIntervalMs, 1_800_000);
    assert.equal((await configure([...enough, "--election-timeout=1h"])).electionTimeoutMs, 3_600_000);
    await refuses(
      [...enough, "--election-timeout=2h"],
      /"2h"; write a duration such as 100ms or 1s, up to 1h/,
    );
    await refuses([...enough, "--election-timeout=0"], /"0"; write a duration/);
    const often = "--watch-progress-notify-interval=99ms";
    await refuses([...enough, often], /"99ms"; write a duration such as .*, from 100ms up to 1h/);
    const never = await configure([...enough, "--corrupt-check-interval=0s"]);
    assert.equal(never.corruptCheckIntervalMs, undefined);
    for (const text of ["500ms", "577h", "-1s", "1 h", "h", "1toString"])
      await refuses([...enough, `--corrupt-check-interval=${text}`], /from 1s to 576h, or 0 for never$/);
  });

  it("give up history by its age in hours, or by the number of revisions", async () => {
    const choice = async (...given: readonly string[]) =>
      (await configure([...enough, ...given])).autoCompaction;
    for (const [text, retentionMs] of [
      ["1", 3_600_000],
      ["1000", 3_600_000_000],
      ["30m", 1_800_000],
      ["1.5h", 5_400_000],
    ] as const)
      assert.deepEqual(await choice(`--auto-compaction-retention=${text}`), {
        mode: "periodic",
        retentionMs,
      });
    const byRevision = "--auto-compaction-mode=revision";
    assert.deepEqual(await choice(byRevision, "--auto-compaction-retention=1000"), {
      mode: "revision",
      revisions: 1000,
    });
    for (const given of [[], [byRevision], ["--auto-compaction-retention=0h"]])
      assert.equal(await choice(...given), undefined);
    for (const text of ["500ms", "900000h", "-1", "1d", "h"])
      await refuses(
        [...enough, `--auto-compaction-retention=${text}`],
        /write a duration such as 30m or 72h, or hours such as 1, from 1s to 876000h, or 0 for never$/,
      );
    for (const text of ["1h", "-1", "1.5"])
      await refuses(
        [...enough, byRevision, `--auto-compaction-retention=${text}`],
        /write a whole number from 0 to/,
      );
    await refuses([...enough, "--auto-compaction-mode=size"], /write one of periodic, revision/);
  });

  it("remove no member that merely restarts", async () => {
    const pattern =
      /after is "(9s|600h|1d)"; write a duration such as 30m or 24h, from 10s \(10 times --election-timeout, .*\) to 576h, or 0 for never$/;
    for (const text of ["9s", "600h", "1d"])
      await refuses([...enough, `--autopilot-cleanup-after=${text}`], pattern);
    await refuses(
      [...enough, "--election-timeout=150s", "--autopilot-cleanup-after=24m"],
      /"24m"; .* from 1500s \(/,
    );
    const least = await configure([...enough, "--autopilot-cleanup-after=10s"]);
    assert.equal(least.autopilotCleanupAfterMs, 10_000);
  });

  it("take bytes with a unit", async () => {
    for (const [text, bytes] of [
      ["0", 0],
      ["1048576", 2 ** 20],
      ["512KiB", 2 ** 19],
      ["1.5GiB", 1.5 * 2 ** 30],
    ] as const) {
      assert.equal((await configure([...enough, `--disk-free-reserve=${text}`])).diskFreeReserveBytes, bytes);
      assert.equal((await configure([...enough, `--quota-bytes=${text}`])).quotaBytes, bytes);
    }
    for (const text of ["much", "-1", "5MB", "9999999999GiB"])
      await refuses(
        [...enough, `--disk-free-reserve=${text}`],
        new RegExp(`"${text}"; write bytes, such as`),
      );
  });

  it("make a new cluster by force only of who has confirmed it", async () => {
    await refuses(
      [...enough, "--force-new-cluster"],
      /writes that only the other members have are lost.*--yes/,
    );
    await refuses([...enough, "--force-new-cluster", "--yes=false"], /add --yes/);
    await refuses([...enough, "--yes"], /--yes confirms --force-new-cluster, which is not given/);
    assert.equal((await configure([...enough, "--force-new-cluster", "--yes"])).forceNewCluster, true);
  });

  it("promote learners unless told not to", async () => {
    assert.equal((await configure([...enough, "--auto-promote=false"])).autoPromote, false);
    await refuses([...enough, "--auto-promote=no"], /"no"; write one of true, false/);
  });

  it("are looked for in the environment under other spellings, which are told and ignored", async () => {
    const environment = {
      DKV_DATA_DRI: "x",
      DKV_LISTEN_PEER_ADRESS: "localhost:1",
      DKV_PORT: "tcp://10.0.0.1:3000",
      DKV_NAME: "a",
      DATA_DIR: "y",
    };
    const line = await gatherValues([], environment, "1.2.3");
    assert.deepEqual(line.kind === "run" && line.warnings, [
      "the environment has $DKV_DATA_DRI, which means nothing and is ignored; did you mean $DKV_DATA_DIR?",
      "the environment has $DKV_LISTEN_PEER_ADRESS, which means nothing and is ignored; did you mean $DKV_LISTEN_PEER_ADDRESS?",
    ]);
    assert.equal(line.kind === "run" && line.values.get("data-dir")?.text, "data");
  });

  it("are refused when half of a TLS set is given", async () => {
    await refuses([...enough, "--cert-file=c"], /--cert-file given without --key-file/);
    await refuses([...enough, "--trusted-ca-file=c"], /--trusted-ca-file is given without/);
    await refuses(
      [...enough, "--peer-cert-file=c", "--peer-key-file=k"],
      /given without --peer-trusted-ca-file/,
    );
  });

  it("do not let peers talk in clear beyond this machine unless told to", async () => {
    const open = ["--name=a", `--initial-cluster=${three}`];
    await refuses(open, /in clear on :2380/);
    await refuses([...open, "--listen-peer-address=0.0.0.0:2380"], /in clear on 0.0.0.0:2380/);
    assert.equal((await configure([...open, "--insecure-peers"])).peerTls, undefined);
  });

  it("are refused in one line that says what to write instead", async () => {
    await refuses([...enough, "--initial-cluster-state=maybe"], /"maybe"; write one of new, existing/);
    await refuses([...enough, "--election-timeout=soon"], /"soon"; write a duration such as 100ms/);
    await refuses([...enough, "--election-timeout=200ms"], /less than 5 times --heartbeat-interval/);
    await refuses([...enough, "--snapshot-count=0"], /"0"; write a whole number from 1 to 1000000000$/);
    await refuses([...enough, "--max-request-bytes=-1"], /"-1"; write a whole number from 1 to 33554432$/);
    await refuses([...enough, "--max-request-bytes=33554433"], /"33554433"; write a whole number from 1 to/);
    assert.equal((await configure([...enough, "--max-request-bytes=33554432"])).maxRequestBytes, 2 ** 25);
    await refuses([...enough, "--data-dir=a", "--data-dir=b"], /--data-dir is given 2 times/);
    await refuses([...enough, "--no-such-flag=1"], /^unknown flag --no-such-flag: see dkv --help$/);
    await refuses(["--nmae", "x"], /^unknown flag --nmae: did you mean --name\?$/);
    await refuses(["--data-dri=x"], /^unknown flag --data-dri: did you mean --data-dir\?$/);
    await refuses([...enough, "nmae"], /^Unknown argument: nmae; see dkv --help$/);
    await refuses([...enough, "start"], /Unknown argument: start/);
    await refuses([...enough, "--data-dir=\uFFFD"], /--data-dir is not valid UTF-8/);
    await refuses([...enough, "--advertise-peer-address=localhost:1"], /differs from a=localhost:2380/);
    await refuses(
      ["--initial-cluster=a=localhost:2380", "--listen-peer-address=localhost:2380"],
      /--name is missing/,
    );
    await refuses(enough, /\$DKV_LOG_LEVEL is "loud"/, { DKV_LOG_LEVEL: "loud" });
  });

  it("print help with examples and the version", async () => {
    const help = await gatherValues(["--help"], {}, "1.2.3");
    assert.ok(help.kind === "print" && help.text.includes("Examples:") && help.text.includes("DKV_DATA_DIR"));
    assert.match(
      help.text,
      /dkvctl member-join dkv-3 .*\n +dkv --name dkv-3 .*--initial-cluster-state=existing \\\n/,
    );
    assert.match(
      help.text,
      /dkvctl member-replace dkv-2 .*\n +dkv --name dkv-2 .*--initial-cluster-state=existing \\\n/,
    );
    assert.deepEqual(await gatherValues(["--version"], {}, "1.2.3"), { kind: "print", text: "1.2.3" });
  });
});
