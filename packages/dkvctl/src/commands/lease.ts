/** The commands that make, keep, end and show leases. */
import { DkvClientError } from "@dkv/client";

import { headerJson, line } from "../output/json.ts";
import { keyCell } from "../output/keys.ts";
import { table } from "../output/table.ts";
import { sleep } from "../platform/sleep.ts";
import { leaseText } from "../values.ts";
import type { CommandContext } from "./command.ts";

/** Makes a lease, and prints its ID. */
export async function grant(
  { client, output = "value", io }: CommandContext,
  { ttlSeconds: asked, id: chosen }: { readonly ttlSeconds: number; readonly id: bigint | undefined },
): Promise<void> {
  const { id, ttlSeconds, header } = await client.grantLease(asked, { id: chosen });
  switch (output) {
    case "value":
      return io.print(`${leaseText(id)}\n`);
    case "json":
      return io.print(line({ lease: leaseText(id), ttl_seconds: ttlSeconds, header: headerJson(header) }));
    case "table": {
      const row = [leaseText(id), `${ttlSeconds}`];
      return io.print(table([["Lease", "TTL"], row], io));
    }
  }
}

/** So often within its time a lease is given all of it again. */
const renewalsPerTtl = 3;

/** Keeps a lease alive until it is stopped, which is no failure, or the lease is gone. Prints what is granted. */
export async function keepAlive(
  { client, output = "value", io }: CommandContext,
  { id, isOnce }: { readonly id: bigint; readonly isOnce: boolean },
): Promise<void> {
  await io.untilStopped(async (signal) => {
    try {
      for (;;) {
        const { ttlSeconds, header } = await client.keepLeaseAlive(id, { signal });
        const report = { lease: leaseText(id), ttl_seconds: ttlSeconds, header: headerJson(header) };
        const isRead = await io.printPart(output === "json" ? line(report) : `${ttlSeconds}\n`);
        if (isOnce || !isRead) return;
        await sleep((ttlSeconds * 1000) / renewalsPerTtl, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
}

/** Ends a lease. Prints nothing by default, and one that is gone already is no error. */
export async function revoke({ client, output = "value", io }: CommandContext, id: bigint): Promise<void> {
  const { revoked, header } = await client.revokeLease(id);
  switch (output) {
    case "value":
      return undefined;
    case "json": {
      const where = header === undefined ? {} : { header: headerJson(header) };
      return io.print(line({ lease: leaseText(id), revoked, ...where }));
    }
    case "table":
      return io.print(
        table(
          [
            ["Lease", "Revoked"],
            [leaseText(id), `${revoked}`],
          ],
          io,
        ),
      );
  }
}

/** Prints what is left of a lease: by default the seconds, and its keys if they are asked for. */
export async function timeToLive(
  { client, output = "value", io }: CommandContext,
  { id, returnKeys }: { readonly id: bigint; readonly returnKeys: boolean },
): Promise<void> {
  const { ttlSeconds, grantedTtlSeconds, keys, header } = await client.getLease(id, { returnKeys });
  const names = keys.map(keyCell);
  switch (output) {
    case "value":
      return io.print([ttlSeconds, ...names].map((each) => `${each}\n`).join(""));
    case "json":
      return io.print(
        line({
          lease: leaseText(id),
          ttl_seconds: ttlSeconds,
          granted_ttl_seconds: grantedTtlSeconds,
          ...(returnKeys && { keys: keys.map(({ key }) => key) }),
          header: headerJson(header),
        }),
      );
    case "table": {
      const titles = ["Lease", "TTL", "Granted TTL", ...(returnKeys ? ["Keys"] : [])];
      const row = [leaseText(id), `${ttlSeconds}`, `${grantedTtlSeconds}`];
      return io.print(table([titles, returnKeys ? [...row, names.join(" ")] : row], io));
    }
  }
}

/** Prints all leases: by default their IDs, and as a table what is left of each. */
export async function list({ client, output = "value", io }: CommandContext): Promise<void> {
  const { ids, header } = await client.listLeases();
  switch (output) {
    case "value":
      return io.print(ids.map((id) => `${leaseText(id)}\n`).join(""));
    case "json":
      return io.print(line({ leases: ids.map(leaseText), header: headerJson(header) }));
    case "table": {
      const rows: (readonly string[])[] = [["Lease", "TTL", "Granted TTL"]];
      for (const id of ids) {
        const info = await client.getLease(id).catch(unlessGone);
        if (info !== undefined) rows.push([leaseText(id), `${info.ttlSeconds}`, `${info.grantedTtlSeconds}`]);
      }
      return io.print(table(rows, io));
    }
  }
}

/** It may have ended since it was listed. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof DkvClientError) || error.code !== "lease_not_found") throw error;
}
