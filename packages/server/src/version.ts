import { readFileSync } from "node:fs";

const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The version of dkv, as its package says. */
export const version =
  typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";

/** Of the etcd that dkv behaves like: clients look at it before they rely on what earlier ones did not have. */
export const etcdVersion = "3.7.0";
