/**
 * Gives the peer transport the simulated network in place of `node:net`. To be imported before anything that
 * imports the transport, and that dynamically: imports are resolved before a module runs.
 */
import { registerHooks } from "node:module";

const simulated = new URL(
  import.meta.url.endsWith(".ts") ? "./network/node-net.ts" : "./network/node-net.js",
  import.meta.url,
).href;

registerHooks({
  resolve(specifier, context, next) {
    const isTransport = context.parentURL?.includes("/server/dist/transport/") === true;
    if (specifier === "node:net" && isTransport) return { url: simulated, shortCircuit: true };
    return next(specifier, context);
  },
});
