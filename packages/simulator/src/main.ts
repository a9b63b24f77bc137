/** `make sim`, `make soak`, and their like. */
import "./hooks.ts";

const { command } = await import("./command.ts");
let hasSignal = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A second one ends the process at once.
  process.once(signal, () => {
    hasSignal = true;
  });
}
process.exitCode = await command(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  nowMs: () => performance.now(),
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  freshSeed: () => Math.floor(Math.random() * 2 ** 31),
  isStopped: () => new Promise((resolve) => setImmediate(() => resolve(hasSignal))),
});
