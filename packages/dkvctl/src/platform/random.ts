import { randomBytes } from "node:crypto";

/** A name that nobody else has, of letters and digits. */
export const randomName = (): string => randomBytes(8).toString("hex");
