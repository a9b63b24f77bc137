/** What applying a command gave, as a text by which two can be compared and told to people. */
import type { ApplyResult, KeyValue, OperationResult } from "@dkv/store";
import { keyText } from "../disk/platter.ts";

/** @param isWanted whether somebody waits for what was read or deleted; elsewhere that is empty */
export function textOf(result: ApplyResult | OperationResult, isWanted: boolean): string {
  const at = `at ${String(result.revision)}`;
  switch (result.kind) {
    case "set":
      return `set ${at} in place of ${result.previous === undefined ? "nothing" : keyValueText(result.previous)}`;
    case "delete": {
      const previous = isWanted ? ` [${result.previous.map(keyValueText).join(" ")}]` : "";
      return `deleted ${String(result.deleted)} ${at}${previous}`;
    }
    case "range": {
      if (!isWanted) return "a range";
      const { found, hasMore, count } = result;
      const more = hasMore ? " and more" : "";
      return `${String(count)} ${at} [${found.map(keyValueText).join(" ")}${more}]`;
    }
    case "txn":
      return `${result.succeeded ? "done" : "not done"} ${at} (${result.results
        .map((each) => textOf(each, isWanted))
        .join("; ")})`;
    case "expiry":
      return `expired ${result.expired.join(" ")} ${at}`;
    case "refused":
      return `refused as ${result.reason} ${at}`;
    default:
      return `${result.kind} ${at}`;
  }
}

function keyValueText({ key, value, createRevision, modRevision, version, lease }: KeyValue): string {
  const facts = [createRevision, modRevision, version, lease].join("/");
  return `${keyText(key)}=${valueText(keyText(value))}@${facts}`;
}

/** Of long ones the beginning, which nobody else writes, and how long they are. */
const valueText = (value: string): string =>
  value.length <= 20 ? value : `${value.slice(0, 12)}..${String(value.length)}`;
