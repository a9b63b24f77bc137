/** Whether with these alone it still fails. */
export type StillFails<Item> = (items: readonly Item[]) => Promise<boolean>;

/**
 * A smaller list that still fails: halves are left out, then quarters, and so on to single ones, until none
 * can be left out (Zeller's ddmin without its complements).
 */
export async function dropItems<Item>(
  items: readonly Item[],
  stillFails: StillFails<Item>,
): Promise<readonly Item[]> {
  let kept = items;
  let size = Math.ceil(kept.length / 2);
  while (size >= 1) {
    let hasDropped = false;
    // From the end: what comes late in a stream is less often what others need.
    for (let to = kept.length; to > 0; to -= size) {
      const rest = [...kept.slice(0, Math.max(0, to - size)), ...kept.slice(to)];
      if (rest.length < kept.length && (await stillFails(rest))) {
        kept = rest;
        hasDropped = true;
      }
    }
    if (size === 1 && !hasDropped) break;
    size = size === 1 ? 1 : Math.floor(size / 2);
  }
  return kept;
}
