/** Measurements in the text format of Prometheus. */

export interface Measurement {
  readonly name: string;
  /** For people, on one line. */
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** One value for each set of labels. */
  readonly values: readonly MeasuredValue[];
}

export interface MeasuredValue {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export function expose(measurements: readonly Measurement[]): string {
  return measurements.map(textOf).join("");
}

function textOf({ name, help, type, values }: Measurement): string {
  const lines = values.map(({ labels, value }) => `${name}${labelsText(labels)} ${String(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelsText(labels: MeasuredValue["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
