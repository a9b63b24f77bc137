/** HTTP/2 in plain TypeScript: the parts that both sides share, and the server's side of a connection. */
export { ConnectionError } from "./connection-error.ts";
export { type Frame, FrameReader } from "./frame-reader.ts";
export {
  errorCode,
  type ErrorCode,
  frame,
  frameFlag,
  frameHeadBytes,
  frameType,
  goAwayFrame,
  initialSettings,
  largestWindowBytes,
  preface,
  resetFrame,
  setting,
  settingsFrame,
  windowUpdateFrame,
  writeFrameHead,
} from "./frames.ts";
export { decodeHeaderBlock, HeaderDecoder } from "./hpack/decoder.ts";
export { encodeHeaderBlock, HeaderEncoder } from "./hpack/encoder.ts";
export type { Header } from "./hpack/static-table.ts";
export { Output } from "./output.ts";
export { Backlog } from "./server/backlog.ts";
export type { RequestHead } from "./server/header-rules.ts";
export { defaultSessionLimits, type SessionLimits } from "./server/limits.ts";
export { Session, type SessionClock, type SessionDeps } from "./server/session.ts";
export type { Answer, Receiver, RequestHandler, ServerStream } from "./server/stream.ts";
