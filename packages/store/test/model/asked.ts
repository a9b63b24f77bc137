/** Random operations with who asks for them. */
import fc from "fast-check";
import type { Origin } from "../../src/auth/auth-state.ts";
import type { LoggedOperation } from "../../src/operation.ts";
import { someAuthChange, someCaller } from "../auth/sketches.ts";
import { auth, type AuthChange } from "../commands.ts";
import { bytes } from "../disk.ts";
import { type Sketch, someOperation } from "./sketches.ts";

export interface Asked {
  readonly operation: LoggedOperation;
  readonly origin: Origin | undefined;
}

const ofMembers: readonly LoggedOperation["case"][] = [
  "expireLeases",
  "checkpointLeases",
  "removeHistory",
  "check",
];

export const someAsked: fc.Arbitrary<Sketch<Asked>> = fc
  .tuple(
    fc.oneof(
      { weight: 20, arbitrary: someOperation },
      { weight: 1, arbitrary: someAuthChange.map((change) => () => change) },
    ),
    someCaller,
    // Of what members ask for of their own accord, they ask for nearly all.
    fc.nat(9).map((one) => one > 0),
  )
  .map(([sketch, caller, isByMember]) => (now) => {
    const operation = sketch(now);
    return {
      operation,
      origin: ofMembers.includes(operation.case) && isByMember ? "member" : caller(now),
    };
  });

const changes: readonly AuthChange[] = [
  { case: "addUser", value: { name: "root" } },
  { case: "grantRole", value: { user: "root", role: "root" } },
  { case: "addRole", value: { name: "some" } },
  { case: "grantPermission", value: { role: "some", kind: 3, key: bytes("a"), rangeEnd: bytes("a\xff") } },
  { case: "addUser", value: { name: "one" } },
  { case: "grantRole", value: { user: "one", role: "some" } },
  { case: "enable", value: {} },
];

/** Rules of force, which random changes alone hardly ever come to. */
export const foundation: readonly Sketch<Asked>[] = changes.map((change) => ({ authRevision }) => ({
  operation: auth(change),
  origin: { user: "root", authRevision },
}));
