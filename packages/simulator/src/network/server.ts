/** A port that a process listens on. */
// oxlint-disable-next-line no-restricted-imports -- Node's servers are emitters, and this stands in for them
import { EventEmitter } from "node:events";
import type { Life } from "../world/life.ts";
import type { Network } from "./network.ts";
import type { SimSocket } from "./socket.ts";

export class SimServer extends EventEmitter {
  readonly life: Life;
  readonly #network: Network;
  #port: number | undefined;
  listening = false;

  constructor(network: Network, onConnection: (socket: SimSocket) => void) {
    super();
    this.#network = network;
    this.life = network.caller;
    this.on("connection", onConnection);
  }

  listen({ port }: { readonly port: number }): this {
    this.life.after(0, "socket", () => {
      this.listening = this.#network.listen(port, this);
      this.#port = port;
      if (this.listening) this.emit("listening");
      else this.emit("error", Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" }));
    });
    return this;
  }

  close(): this {
    this.listening = false;
    if (this.#port !== undefined) this.#network.forget(this.#port, this);
    this.life.after(0, "socket", () => {
      this.emit("close");
    });
    return this;
  }
}
