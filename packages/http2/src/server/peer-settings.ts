import { ConnectionError } from "../connection-error.ts";
import type { Frame } from "../frame-reader.ts";
import {
  type ErrorCode,
  errorCode,
  initialSettings,
  largestFrameBytes,
  largestWindowBytes,
  setting,
} from "../frames.ts";

/** What of a client's SETTINGS matters to a server that indexes nothing and keeps its frames short. */
export interface SettingsChange {
  readonly windowBytes: number | undefined;
  /** The client keeps a smaller table than it would without a word. */
  readonly shrinksTable: boolean;
}

const entryBytes = 6;

/** Reads a SETTINGS frame. Throws a ConnectionError on values that are not allowed. Source: RFC 9113 §6.5.2. */
export function readSettings({ source, start, end }: Frame): SettingsChange {
  if ((end - start) % entryBytes !== 0) {
    throw new ConnectionError(errorCode.frameSize, "SETTINGS of a length that is none");
  }
  let windowBytes: number | undefined;
  let shrinksTable = false;
  for (let offset = start; offset < end; offset += entryBytes) {
    const id = source.readUInt16BE(offset);
    const value = source.readUInt32BE(offset + 2);
    if (id === setting.enablePush) mustHold(value <= 1, errorCode.protocol);
    if (id === setting.maxFrameSize) {
      mustHold(value >= initialSettings.frameBytes && value <= largestFrameBytes, errorCode.protocol);
    }
    if (id === setting.initialWindowSize) {
      mustHold(value <= largestWindowBytes, errorCode.flowControl);
      windowBytes = value;
    }
    if (id === setting.headerTableSize && value < initialSettings.headerTableBytes) shrinksTable = true;
  }
  return { windowBytes, shrinksTable };
}

function mustHold(isAllowed: boolean, code: ErrorCode): void {
  if (!isAllowed) throw new ConnectionError(code, "a setting of a value that is not allowed");
}
