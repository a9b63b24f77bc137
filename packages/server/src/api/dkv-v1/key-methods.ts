/** The methods of DkvAPI as Connect calls them. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { DkvAPI } from "@dkv/protocol/dkv/v1/dkv";
import type { Member } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import { deleteResponse, getResponse, responseHeader, setResponse } from "./answers.ts";
import { compact } from "./compact-service.ts";
import { type ListService, listResponse } from "./list-service.ts";
import { generatePipe } from "./pipe/generated-pipe.ts";
import { pipeLimits } from "./pipe/limits.ts";
import type { PipeOperations } from "./pipe/operations.ts";
import type { DkvService } from "./service.ts";
import { txnResponse, type TxnService } from "./txn-service.ts";
import { WatchService } from "./watch-service.ts";

export interface KeyServices {
  readonly keys: DkvService;
  readonly txns: TxnService;
  readonly lists: ListService;
  readonly operations: PipeOperations;
}

export function keyMethods(
  member: Member,
  { keys, txns, lists, operations }: KeyServices,
  clock: Clock,
): ServiceImpl<typeof DkvAPI> {
  const watches = new WatchService(member, clock);
  return {
    get: async (request, context) => getResponse(await keys.get(request, context.timeoutMs())),
    set: async (request, context) => setResponse(await keys.set(request, context.timeoutMs())),
    delete: async (request, context) => deleteResponse(await keys.delete(request, context.timeoutMs())),
    list: async (request, context) => listResponse(await lists.list(request, context.timeoutMs())),
    watch: (request, context) => watches.watch(request, context.signal),
    txn: async (request, context) => txnResponse(await txns.txn(request, context.timeoutMs())),
    compact: async (request, context) => {
      const { header } = await compact(member, request, context.timeoutMs());
      return { header: responseHeader(header) };
    },
    pipe: (requests, { signal, timeoutMs }) =>
      generatePipe({ requests, signal, timeoutMs }, operations, pipeLimits),
  };
}
