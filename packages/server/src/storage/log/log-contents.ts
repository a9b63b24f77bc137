import { ConfigurationHistory } from "@dkv/raft";
import type { LogBase } from "./log-base.ts";
import { Regions } from "./regions.ts";
import { Segments } from "./segments.ts";
import { TermHistory } from "./term-history.ts";

/** What is known of a log without reading its files. */
export interface LogContents {
  readonly regions: Regions;
  readonly terms: TermHistory;
  readonly segments: Segments;
  readonly configurations: ConfigurationHistory;
}

/** Of a log that begins there and has nothing yet. */
export const noContents = ({ last, configuration }: LogBase): LogContents => ({
  regions: new Regions(),
  terms: new TermHistory(last),
  segments: new Segments(),
  configurations: new ConfigurationHistory(configuration),
});
