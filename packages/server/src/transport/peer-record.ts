import type { Hello, HelloReply } from "../codec/handshake-codec.ts";
import type { PeerStatus } from "./peer-transport.ts";
import type { PeerAddress } from "./options.ts";

/** What a member tells of itself. */
type Greeting = Pick<HelloReply, "clientAddress" | "clientUrls" | "version" | "incarnation"> &
  Partial<Pick<Hello, "name">>;

/** What is known of one peer; written by the connections to and from it, and kept when it moves. */
export class PeerRecord {
  #address: PeerAddress;
  #clientAddress = "";
  #clientUrls: readonly string[] = [];
  #ownName = "";
  #version = "";
  #incarnation = 0n;
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

  /** What it told of itself in the newest greeting; 0 before there was one. */
  get incarnation(): bigint {
    return this.#incarnation;
  }

  greeted({ clientAddress, clientUrls = [], name, version, incarnation }: Greeting): void {
    this.#clientAddress = clientAddress;
    this.#clientUrls = clientUrls;
    this.#ownName = name ?? this.#ownName;
    this.#version = version;
    this.#incarnation = incarnation;
  }

  status(): Omit<PeerStatus, "isConnected"> {
    return {
      ...this.#address,
      incarnation: this.#incarnation,
      ownName: this.#ownName,
      clientAddress: this.#clientAddress,
      clientUrls: this.#clientUrls,
      version: this.#version,
      lastHeardMs: this.#lastHeardMs,
    };
  }
}
