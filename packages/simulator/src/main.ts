/** `make sim` and `make soak`. */
import "./hooks.ts";

const { command } = await import("./command.ts");
process.exitCode = await command(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  nowMs: () => performance.now(),
  freshSeed: () => Math.floor(Math.random() * 2 ** 32),
});
