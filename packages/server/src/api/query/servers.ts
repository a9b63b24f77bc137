/** How queries change who belongs to the cluster. A member that was given no name is called by its address. */
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { checkedAddress, checkedName } from "../dkv-v1/member-names.ts";
import { type Parameters, textOf } from "./parameters.ts";

/** Rejects with a DkvError. A member that is there already with this name and address is no mistake. */
export async function join(member: Member, parameters: Parameters): Promise<void> {
  const peerAddress = checkedAddress(textOf(parameters, "peerAddress") ?? "");
  const name = checkedName(textOf(parameters, "node") ?? peerAddress, "node");
  await member.changeMembership({ kind: "join", name, peerAddress });
}

/** Rejects with a DkvError. Who has left already is no mistake. */
export async function leave(member: Member, parameters: Parameters): Promise<void> {
  const node = textOf(parameters, "node");
  const name = node === undefined ? await nameAt(member, parameters) : checkedName(node, "node");
  await member.changeMembership({ kind: "leave", name });
}

async function nameAt(member: Member, parameters: Parameters): Promise<string> {
  const given = textOf(parameters, "peerAddress");
  if (given === undefined || given === "")
    throw new DkvError("invalidRequest", "nobody is named: write node=NAME, or peerAddress=HOST:PORT");
  const address = checkedAddress(given);
  // Who has just joined may not be known here yet.
  await member.readBarrier();
  const found = (await member.members()).find(({ peerAddress }) => peerAddress === address);
  return found?.name ?? address;
}
