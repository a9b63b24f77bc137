/** A flag, as a row of the table of all flags. */
export interface Flag {
  readonly describe: string;
  /** What stands for a value in the help text. */
  readonly value: string;
  readonly group:
    | "Member"
    | "Cluster"
    | "Network"
    | "TLS"
    | "Authentication"
    | "Timing and limits"
    | "Disk"
    | "Recovery"
    | "Logs";
  readonly default?: string;
  /** May be given several times; items may also be separated by commas. */
  readonly list?: true;
  /** Takes no value. */
  readonly switch?: true;
}
