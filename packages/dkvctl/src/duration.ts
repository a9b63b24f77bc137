const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const part = /(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)/g;
const whole = new RegExp(`^(?:${part.source.replaceAll(/\?<\w+>/g, "")})+$`);

/** Milliseconds of a duration such as `5s`, `500ms` or `1m30s`; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  let sumMs = 0;
  for (const { groups } of text.matchAll(part)) {
    const unit = groups?.["unit"];
    if (unit === "ms" || unit === "s" || unit === "m" || unit === "h")
      sumMs += Number(groups?.["amount"]) * unitMs[unit];
  }
  return sumMs;
}
