import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import { processFacts } from "../../platform/process-facts.ts";
import type { Door, PlainReply } from "../door.ts";
import type { Versions } from "../versions.ts";
import { expose } from "./exposition.ts";
import { memberMetrics, processMetrics } from "./member-metrics.ts";

/** The door of Prometheus, and of what reads its format. */
export function createMetricsDoor(member: Pick<Member, "status" | "details">, versions: Versions): Door {
  return {
    services: [],
    routes: () => undefined,
    hotMethods: [],
    resources: new Map([["/metrics", { methods: "GET and HEAD", answer: () => metrics(member, versions) }]]),
  };
}

async function metrics(member: Pick<Member, "status" | "details">, versions: Versions): Promise<PlainReply> {
  try {
    const measured = [...(await memberMetrics(member, versions)), ...processMetrics(await processFacts())];
    return { status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: expose(measured) };
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    return { status: 503, contentType: "text/plain; charset=utf-8", body: `${error.message}\n` };
  }
}
