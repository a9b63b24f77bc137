const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const part = /(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)/g;
const whole = new RegExp(`^(?:${part.source.replaceAll(/\?<\w+>/g, "")})+$`);

/** For complaints. */
export const durationAdvice = "write seconds, or a number with ms, s, m or h, for example 5s or 1m30s";

/** Milliseconds of a duration such as `5s`, `500ms` or `1m30s`, or `5` for seconds; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,16}$/.test(text)) return Number(text) * 1000;
  if (!whole.test(text)) return undefined;
  let sumMs = 0;
  for (const { groups } of text.matchAll(part)) {
    const unit = groups?.["unit"];
    if (unit === "ms" || unit === "s" || unit === "m" || unit === "h")
      sumMs += Number(groups?.["amount"]) * unitMs[unit];
  }
  return sumMs;
}

/** A duration as a person would say it, with as much as matters: `12ms`, `3.4s`, `5m10s`, `3h12m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)}ms`;
  if (durationMs < 60_000) return `${Math.floor(durationMs / 100) / 10}s`;
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
}
