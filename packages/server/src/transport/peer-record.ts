import type { PeerStatus } from "./peer-transport.ts";
import type { PeerAddress } from "./options.ts";

/** What is known of one peer; written by the connections to and from it, and kept when it moves. */
export class PeerRecord {
  #address: PeerAddress;
  #clientAddress = "";
  #version = "";
  #lastHeardMs: number | undefined;

  constructor(address: PeerAddress) {
    this.#address = address;
  }

  get address(): PeerAddress {
    return this.#address;
  }

  /** The same member is at another address from now on, or has another name. */
  moved(address: PeerAddress): void {
    this.#address = address;
  }

  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
  }

  /** What it tells of itself in a greeting. */
  greeted({ clientAddress, version }: { readonly clientAddress: string; readonly version: string }): void {
    this.#clientAddress = clientAddress;
    this.#version = version;
  }

  status(): Omit<PeerStatus, "isConnected"> {
    return {
      ...this.#address,
      clientAddress: this.#clientAddress,
      version: this.#version,
      lastHeardMs: this.#lastHeardMs,
    };
  }
}
