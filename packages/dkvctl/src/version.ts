import { readFileSync } from "node:fs";

/** Put in by build.ts; not there in the unbundled program. */
declare const DKVCTL_VERSION: string | undefined;

/** The version in package.json. */
export function version(): string {
  if (typeof DKVCTL_VERSION === "string") return DKVCTL_VERSION;
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
