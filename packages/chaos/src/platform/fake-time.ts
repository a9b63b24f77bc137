/** Another time of day for one process, by libfaketime. */
import { globSync, writeFileSync } from "node:fs";

/** Where distributions put it. */
const usual = ["/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1"];

/** Path of the library; undefined if it is not installed where it usually is. */
export function findFakeTime(): string | undefined {
  return usual.flatMap((pattern) => globSync(pattern))[0];
}

/** Environment of a process whose time of day is what `setOffset` says of the same file. */
export function fakeTimeEnvironment(library: string, file: string): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: "1",
    // A step of the time of day leaves the clock alone that intervals are measured by. Both names are in use.
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

/** The process follows within a second. */
export function setOffset(file: string, seconds: number): void {
  writeFileSync(file, `${seconds < 0 ? "" : "+"}${String(seconds)}s\n`);
}
