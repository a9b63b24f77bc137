/** Work that is done side by side. */

/** Each lane takes the next item when it is done with the one before. Ends early once it is told to. */
export async function sideBySide<Item, Lane>(
  items: readonly Item[],
  lanes: readonly Lane[],
  work: (item: Item, lane: Lane) => Promise<"go on" | "stop">,
): Promise<void> {
  const left = items.values();
  const run = async (lane: Lane): Promise<void> => {
    for (const item of left) if ((await work(item, lane)) === "stop") return;
  };
  await Promise.all(lanes.map(run));
}
