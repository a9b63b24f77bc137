/** How much room the disk has that a directory is on. */
import { statfs } from "node:fs/promises";
import type { Logger } from "pino";
import type { Cancel, Clock } from "./clock.ts";

const pollMs = 1000;

/** Bytes that a user without privileges can still write there. Rejects if the system does not tell. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export interface DiskSpaceDeps {
  readonly clock: Pick<Clock, "every">;
  readonly logger: Logger;
  /** {@link freeBytes} unless said otherwise. */
  readonly measure?: (path: string) => Promise<number>;
}

/**
 * Tells now and every second how many bytes are free. One question at a time: a disk that hangs is asked no
 * more. What cannot be told is logged once, and what was told before stays true.
 */
export function watchDiskSpace(
  path: string,
  { clock, logger, measure = freeBytes }: DiskSpaceDeps,
  onMeasured: (bytes: number) => void,
): Cancel {
  let isAsking = false;
  let hasComplained = false;
  let isCancelled = false;
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      const bytes = await measure(path);
      hasComplained = false;
      if (!isCancelled) onMeasured(bytes);
    } catch (error) {
      if (!hasComplained) logger.warn({ path, err: error }, "cannot tell how much room the disk has");
      hasComplained = true;
    }
    isAsking = false;
  };
  const cancel = clock.every(pollMs, () => void ask());
  void ask();
  return () => {
    isCancelled = true;
    cancel();
  };
}

/** For people: 1536 bytes are "1.5 KiB". */
export function formatBytes(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const unit = units[power - 1];
  return unit === undefined
    ? `${String(bytes)} bytes`
    : `${String(Number((bytes / 2 ** (10 * power)).toFixed(1)))} ${unit}`;
}
