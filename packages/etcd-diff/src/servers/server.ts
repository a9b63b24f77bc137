/** One of the two that are compared. */
export interface Server {
  /** `etcd` or `dkv`, and what tells two alike apart. */
  readonly name: string;
  /** Host and port where each member answers clients; the first is the one that most is asked of. */
  readonly addresses: readonly string[];
  /** Of all its members, those for clients and for peers in turn. */
  readonly ports: readonly number[];
  /** Resolves when a member ends without having been told to. */
  readonly ended: Promise<void>;
  /** The last lines that it printed, and how it ended if it did. */
  lastWords(): string;
  /** Kills it, and resolves when it is gone. */
  stop(): Promise<void>;
}

/** A program that is not there, or does not start: in a line for who runs the tool. */
export class ServerError extends Error {
  override readonly name = "ServerError";
}

/** Starts a server without any data. */
export type StartServer = () => Promise<Server>;
