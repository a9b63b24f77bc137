/** Moves an amount from one account to another, or nothing at all. */
import { compare, type DkvClient, op } from "@dkv/client";

/** Whether it was moved: not if there is too little. */
export async function transfer(
  client: DkvClient,
  accounts: { readonly from: string; readonly to: string },
  amount: number,
): Promise<boolean> {
  for (;;) {
    const [from, to] = await Promise.all([client.get(accounts.from), client.get(accounts.to)]);
    const rest = Number(Buffer.from(from?.value ?? []).toString()) - amount;
    const sum = Number(Buffer.from(to?.value ?? []).toString()) + amount;
    if (rest < 0) return false;
    const { succeeded } = await client.txn({
      compares: [
        compare(accounts.from).modRevision.is(from?.modRevision ?? 0),
        compare(accounts.to).modRevision.is(to?.modRevision ?? 0),
      ],
      success: [op.set(accounts.from, String(rest)), op.set(accounts.to, String(sum))],
    });
    if (succeeded) return true;
  }
}
