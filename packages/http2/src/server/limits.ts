/** So much at once, and so much again each second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What one client may ask of its connection. */
export interface SessionLimits {
  /** Requests that are not answered yet. */
  readonly maxConcurrentStreams: number;
  /** Fields of one request, each with an overhead of 32 bytes. */
  readonly maxHeaderListBytes: number;
  /** What a client may send on one stream, and on all, before the handler has released it. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Answers that the client has not taken yet. Above, requests are refused, and answers too. */
  readonly maxQueuedBytes: number;
  /** Calls that are cancelled, and streams that break a rule: both cost more than they seem (CVE-2023-44487). */
  readonly resets: Rate;
  /** Frames that carry nothing: PING, empty DATA, kinds that nobody knows. Some clients ping at each answer. */
  readonly noise: Rate;
  readonly settings: Rate;
  /** For the first words of a client: preface and SETTINGS. */
  readonly openingTimeoutMs: number;
  /** In so long a client whose answers wait must take something worth the name. */
  readonly stallTimeoutMs: number;
}

/** A window that the client opens by less is hardly worth its frame. */
export const tinyIncrement = 1024;

const mebibyte = 1024 * 1024;

export const defaultSessionLimits: SessionLimits = {
  maxConcurrentStreams: 1024,
  maxHeaderListBytes: 16 * 1024,
  streamWindowBytes: mebibyte,
  connectionWindowBytes: 16 * mebibyte,
  maxQueuedBytes: 64 * mebibyte,
  resets: { burst: 10_000, perSecond: 1000 },
  noise: { burst: 10_000, perSecond: 10_000 },
  settings: { burst: 1000, perSecond: 100 },
  openingTimeoutMs: 10_000,
  stallTimeoutMs: 60_000,
};
