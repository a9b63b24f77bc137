/** Frames of HTTP/2: their heads, and nothing about what they mean. Source: RFC 9113 §4 and §6. */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const frameFlag = {
  /** On SETTINGS and PING. */
  ack: 0x1,
  /** On DATA and HEADERS. */
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Why a stream or a connection was ended. Source: RFC 9113 §7. */
export const errorCode = {
  none: 0x0,
  protocol: 0x1,
  internal: 0x2,
  flowControl: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSize: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compression: 0x9,
  enhanceYourCalm: 0xb,
} as const;

export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

/** What each side may assume before it has heard the other's SETTINGS. Source: RFC 9113 §6.5.2. */
export const initialSettings = {
  headerTableBytes: 4096,
  windowBytes: 65_535,
  frameBytes: 16_384,
} as const;

export const largestWindowBytes = 2 ** 31 - 1;
export const largestFrameBytes = 2 ** 24 - 1;
export const frameHeadBytes = 9;

/** What a client says first. Source: RFC 9113 §3.4. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payloadBytes: number;
}

/** Writes the nine bytes in front of a payload and returns the offset after them. */
export function writeFrameHead(target: Buffer, offset: number, head: FrameHead): number {
  target[offset] = head.payloadBytes >>> 16;
  target[offset + 1] = head.payloadBytes >>> 8;
  target[offset + 2] = head.payloadBytes;
  target[offset + 3] = head.type;
  target[offset + 4] = head.flags;
  target[offset + 5] = head.streamId >>> 24;
  target[offset + 6] = head.streamId >>> 16;
  target[offset + 7] = head.streamId >>> 8;
  target[offset + 8] = head.streamId;
  return offset + frameHeadBytes;
}

/** One whole frame in a buffer of its own. For the rare kinds; requests are written in place. */
export function frame(kind: Omit<FrameHead, "payloadBytes">, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadBytes + payload.length);
  bytes.set(payload, writeFrameHead(bytes, 0, { ...kind, payloadBytes: payload.length }));
  return bytes;
}

/** A SETTINGS frame from pairs of {@link setting} and value. */
export function settingsFrame(pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  for (const [position, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, 6 * position);
    payload.writeUInt32BE(value, 6 * position + 2);
  }
  return frame({ type: frameType.settings, flags: 0, streamId: 0 }, payload);
}

/** A WINDOW_UPDATE frame; stream 0 is the whole connection. */
export function windowUpdateFrame(streamId: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame({ type: frameType.windowUpdate, flags: 0, streamId }, payload);
}

/** Ends one stream. */
export function resetFrame(streamId: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame({ type: frameType.resetStream, flags: 0, streamId }, payload);
}

/** Ends a connection, and says up to which stream its requests were looked at. */
export function goAwayFrame(lastStreamId: number, code: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId);
  payload.writeUInt32BE(code, 4);
  return frame({ type: frameType.goAway, flags: 0, streamId: 0 }, payload);
}
