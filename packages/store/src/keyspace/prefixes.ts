/**
 * The store's part of the database: the first bytes of its keys.
 *
 *   key                     record                                             encoded in
 *   10                      position: how far the log has been applied         position-record.ts
 *   11 <revision> <sub>     change: a version of a key, or its deletion        change-record.ts
 *   12 <key> <revision>     index: in which revisions a key was changed        index-record.ts
 *   13 <id>                 lease                                              lease-records.ts
 *   14 <id> <key>           that a key goes with a lease                       lease-records.ts
 *   18                      alarms about members; absent if there are none     ../alarms.ts
 *   19                      how much history was given up; absent if none was  compaction-record.ts
 *   1a                      users and roles; absent if there never were any    ../auth/auth-record.ts
 *   1b ‥ 1f                 reserved
 *   20 <key>                facts of the current version; absent if missing    current-record.ts
 *
 * The first byte is never below 10: what is below belongs to the log. For example the key "ab" has its facts
 * under 20 61 62. Keys sort as their bytes do, so ranges of keys are ranges of the database.
 *
 * A value is stored once, in the change that made it, and that table grows at its end only. What is rewritten
 * at every set, the facts, is small.
 */
export const prefixes = {
  position: 0x10,
  change: 0x11,
  index: 0x12,
  lease: 0x13,
  attachment: 0x14,
  alarms: 0x18,
  compaction: 0x19,
  auth: 0x1a,
  current: 0x20,
} as const;
