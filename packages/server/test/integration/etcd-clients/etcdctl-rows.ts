/** Every command of etcdctl that talks to members, with what it says; in the order in which they are played. */

export interface Row {
  /** `{name}` stands for what an earlier row has found under this name. */
  readonly args: readonly string[];
  readonly input?: string;
  /** All that it prints; its named groups are what it has found. */
  readonly says: RegExp;
  /** It ends with an error: that is what it says. */
  readonly fails?: true;
  /** It will have one endpoint, and no more. */
  readonly asksOne?: true;
  /** It goes on by itself: it is interrupted once it has said that. */
  readonly goesOn?: true;
  /** Goes on meanwhile, and has begun. */
  readonly beside?: readonly string[];
}

export const rows: readonly Row[] = [
  // Keys.
  { args: ["put", "a", "1"], says: /^OK$/ },
  { args: ["put", "a", "2", "--prev-kv"], says: /^OK\na\n1$/ },
  { args: ["put", "b"], input: "from a pipe", says: /^OK$/ },
  { args: ["put", "none", "--ignore-value"], says: /\nError: etcdserver: key not found$/, fails: true },
  { args: ["get", "a"], says: /^a\n2$/ },
  { args: ["get", "a", "-w", "json"], says: /"revision":(?<revision>\d+),.*"version":2,"value":"Mg=="/ },
  { args: ["get", "a", "--rev=2"], says: /^a\n1$/ },
  { args: ["get", "a", "--rev=1000000"], says: /\nError: .* is a future revision$/, fails: true },
  { args: ["get", "a", "z", "--print-value-only"], says: /^2\nfrom a pipe$/ },
  {
    args: ["get", "", "--prefix", "--keys-only", "--sort-by=key", "--order=DESCEND", "--limit=1"],
    says: /^b$/,
  },
  { args: ["get", "b", "--from-key", "--hex", "--consistency=s"], says: /^\\x62\n\\x66\\x72/ },
  {
    args: ["txn"],
    input: 'ver("a") > "1"\nmod("b") > "0"\n\nput c 3\nget c\n\nput c wrong\n\n',
    says: /^SUCCESS\n\nOK\n\nc\n3$/,
  },
  { args: ["txn"], input: 'value("a") = "other"\n\nget a\n\ndel c\n\n', says: /^FAILURE\n\n1$/ },
  {
    args: ["txn"],
    input: "\nput a 1\nput a 2\n\n\n",
    says: /duplicate key given in txn request$/,
    fails: true,
  },
  { args: ["del", "b", "--prev-kv"], says: /^1\nb\nfrom a pipe$/ },
  { args: ["del", "", "--from-key"], says: /^1$/ },
  { args: ["watch", "a", "--rev=2"], says: /^PUT\na\n1\nPUT\na\n2\nDELETE\na\n/, goesOn: true },
  {
    args: ["watch", "", "--prefix", "--rev=3", "--prev-kv", "-w", "json"],
    says: /"prev_kv":\{.*"value":"MQ=="/,
    goesOn: true,
  },
  {
    args: ["watch", "a", "--rev=2", "--", "sh", "-c", "echo $ETCD_WATCH_EVENT_TYPE"],
    says: /^PUT\na\n1\n(?:.*\n)+"DELETE"\n/,
    goesOn: true,
  },
  { args: ["watch", "-i"], input: "watch a --rev=3\n", says: /^PUT\na\n2\n/, goesOn: true },
  { args: ["compaction", "3"], says: /^compacted revision 3$/ },
  { args: ["compaction", "4", "--physical"], says: /^compacted revision 4$/ },
  { args: ["compaction", "4"], says: /required revision has been compacted$/, fails: true },
  { args: ["get", "a", "--rev=2"], says: /required revision has been compacted$/, fails: true },
  {
    args: ["watch", "a", "--rev=2"],
    says: /^watch was canceled \(.* has been compacted\)\nError: watch is canceled by the server$/,
    fails: true,
  },
  // Leases, locks, elections.
  { args: ["lease", "grant", "600"], says: /^lease (?<lease>[0-9a-f]{16}) granted with TTL\(600s\)$/ },
  { args: ["put", "leased", "1", "--lease={lease}"], says: /^OK$/ },
  { args: ["put", "leased", "1", "--lease=4711"], says: /requested lease not found$/, fails: true },
  {
    args: ["lease", "timetolive", "{lease}", "--keys"],
    says: /^lease {lease} granted with TTL\(600s\), remaining\((?:600|5\d\d)s\), attached keys\(\[leased\]\)$/,
  },
  { args: ["lease", "list"], says: /^found 1 leases\n{lease}$/ },
  { args: ["lease", "keep-alive", "{lease}", "--once"], says: /^lease {lease} keepalived with TTL\(600\)$/ },
  {
    args: ["lease", "keep-alive", "{lease}"],
    says: /^lease {lease} keepalived with TTL\(600\)\n/,
    goesOn: true,
  },
  { args: ["lease", "revoke", "{lease}"], says: /^lease {lease} revoked$/ },
  { args: ["lease", "timetolive", "{lease}"], says: /^lease {lease} already expired$/ },
  { args: ["lease", "revoke", "{lease}"], says: /\(etcdserver: requested lease not found\)$/, fails: true },
  { args: ["get", "leased"], says: /^$/ },
  { args: ["lock", "door", "echo", "held"], says: /^held$/ },
  { args: ["lock", "door", "--ttl=30"], says: /^door\/[0-9a-f]+\n/, goesOn: true },
  { args: ["elect", "office", "somebody"], says: /^office\/[0-9a-f]+\nsomebody\n$/, goesOn: true },
  {
    args: ["elect", "-l", "office"],
    says: /^office\/[0-9a-f]+\nsomebody\n$/,
    goesOn: true,
    beside: ["elect", "office", "somebody"],
  },
  // Members.
  {
    args: ["endpoint", "health", "--cluster", "-w", "table"],
    says: /^(?:.*\n){3}(?:\| \S+ \| +true .*\n){3}/,
  },
  {
    args: ["endpoint", "status", "-w", "table"],
    says: /^(?:.*\n){3}(?:\| \S+ \| +[0-9a-f]+ \| +\d+\.\d+\.\d+ .*\n){3}/,
  },
  { args: ["endpoint", "hashkv", "--cluster"], says: /^\S+, (\d+)\n\S+, \1\n\S+, \1$/ },
  {
    args: ["member", "list"],
    says: /^(?:[0-9a-f]+, started, dkv-\d, https:\/\/\S+, https:\/\/\S+, false\n?){3}$/,
  },
  {
    args: ["member", "add", "newcomer", "--learner", "--peer-urls=https://localhost:1"],
    says: /^Member +(?<member>[0-9a-f]+) added to cluster +[0-9a-f]+\n\nETCD_NAME="newcomer"/,
  },
  { args: ["member", "promote", "{member}"], says: /learner/, fails: true },
  {
    args: ["member", "update", "{member}", "--peer-urls=https://localhost:2"],
    says: /^Member +{member} updated/,
  },
  { args: ["member", "list"], says: /^{member}, unstarted, .*, https:\/\/localhost:2, , true$/m },
  { args: ["member", "remove", "{member}"], says: /^Member +{member} removed from cluster/ },
  { args: ["member", "remove", "{member}"], says: /member not found$/, fails: true },
  {
    args: ["endpoint", "status", "-w", "json"],
    says: /"leader":(?<leader>\d+)/,
  },
  // What keeps a cluster well.
  { args: ["alarm", "list"], says: /^$/ },
  { args: ["alarm", "disarm"], says: /^$/ },
  { args: ["defrag", "--cluster"], says: /^(?:Finished defragmenting etcd member\[\S+\]\n?){3}$/ },
  {
    args: ["snapshot", "save", "{directory}/saved.db"],
    asksOne: true,
    says: /^Snapshot saved at \S+saved\.db$/,
  },
  {
    args: ["snapshot", "status", "{directory}/saved.db", "-w", "json"],
    says: /"revision":\d+,"totalKey":\d+/,
  },
  { args: ["snapshot", "restore", "{directory}/saved.db", "--data-dir={directory}/restored"], says: /^$/ },
  { args: ["version"], says: /^etcdctl version: 3\./ },
];
