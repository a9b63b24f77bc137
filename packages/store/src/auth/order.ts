import { toByteString } from "../bytes.ts";
import { compareKeys } from "../overlay/sorted-keys.ts";
import type { Permission } from "./auth-state.ts";

/** By key, then by end. The same for those of the very same interval. */
export const comparePermissions = (
  a: Pick<Permission, "key" | "rangeEnd">,
  b: Pick<Permission, "key" | "rangeEnd">,
): number =>
  compareKeys(toByteString(a.key), toByteString(b.key)) ||
  compareKeys(toByteString(a.rangeEnd), toByteString(b.rangeEnd));
