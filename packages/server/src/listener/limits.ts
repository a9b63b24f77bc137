/** What one client, and all clients together, may ask of the client port. */
export interface ListenerLimits {
  readonly maxConnections: number;
  /**
   * A TLS handshake, then the first bytes, then the headers of an HTTP/1.1 request or the
   * SETTINGS of HTTP/2: each within this time.
   */
  readonly openingTimeoutMs: number;
  /** A whole HTTP/1.1 request, body included. */
  readonly requestTimeoutMs: number;
  /** An HTTP/1.1 connection may be idle this long. */
  readonly idleTimeoutMs: number;
}

export const defaultLimits: ListenerLimits = {
  maxConnections: 10_000,
  openingTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
};
