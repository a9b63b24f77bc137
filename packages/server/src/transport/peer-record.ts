import type { PeerStatus } from "./peer-transport.ts";
import type { PeerAddress } from "./options.ts";

/** What is known of one peer; written by the connections to and from it. */
export class PeerRecord {
  readonly address: PeerAddress;
  #clientAddress = "";
  #lastHeardMs: number | undefined;

  constructor(address: PeerAddress) {
    this.address = address;
  }

  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
  }

  greeted(clientAddress: string): void {
    this.#clientAddress = clientAddress;
  }

  status(): Omit<PeerStatus, "isConnected"> {
    return { ...this.address, clientAddress: this.#clientAddress, lastHeardMs: this.#lastHeardMs };
  }
}
