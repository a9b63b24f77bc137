/** Who leads and who votes, as the members themselves tell it. */

/** What one member answers to MembershipAPI/GetServers. */
export interface View {
  /** Who answered. */
  readonly from: string;
  /** Whom it follows; itself if it leads; undefined if it knows of none. */
  readonly leader: string | undefined;
  readonly term: number;
}

/** Reads the answer's JSON form; undefined for anything else, an error for example. */
export function readView(from: string, answer: unknown): View | undefined {
  const header = field(answer, "header");
  const leader = field(header, "leader");
  const term = Number(field(header, "term") ?? 0);
  if (header === undefined || !Number.isSafeInteger(term)) return undefined;
  return { from, leader: typeof leader === "string" && leader !== "" ? leader : undefined, term };
}

/**
 * The leader that a majority follows in one term, itself included; undefined while there is none.
 * A leader that was deposed and does not know it yet has no majority of such views.
 */
export function agreedLeader(views: readonly View[], size: number): string | undefined {
  const claims = views.filter(({ from, leader }) => from === leader);
  const leader = claims.find(({ from, term }) => {
    const followers = views.filter((view) => view.leader === from && view.term === term);
    return followers.length > size / 2;
  });
  return leader?.from;
}

/**
 * Names of those that vote, each of a learner followed by " (learner)", in the order of the answer; undefined if
 * it is none.
 */
export function readVoters(answer: unknown): readonly string[] | undefined {
  const servers = field(answer, "servers");
  if (!Array.isArray(servers)) return undefined;
  return servers.map((server: unknown) => {
    const isLearner = field(server, "isLearner") === true;
    return `${String(field(server, "id"))}${isLearner ? " (learner)" : ""}`;
  });
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
