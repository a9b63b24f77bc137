/** A directed graph of numbered nodes, and its shortest cycles. */

export interface Edge<Label> {
  readonly to: number;
  readonly label: Label;
}

export type Graph<Label> = readonly (readonly Edge<Label>[])[];

export interface Step<Label> {
  readonly from: number;
  readonly label: Label;
}

/**
 * The nodes of each strongly connected component that has a cycle (Tarjan 1972). No recursion: chains are as
 * long as histories.
 */
export function cyclicComponents<Label>(graph: Graph<Label>): readonly ReadonlySet<number>[] {
  const order = new Map<number, number>();
  const low: number[] = [];
  const open: number[] = [];
  const isOpen = new Set<number>();
  const found: ReadonlySet<number>[] = [];
  const path: { readonly node: number; edge: number }[] = [];
  const enter = (node: number): void => {
    low[node] = order.size;
    order.set(node, order.size);
    open.push(node);
    isOpen.add(node);
    path.push({ node, edge: 0 });
  };
  const lower = (node: number, value: number): void => {
    low[node] = Math.min(low[node] ?? value, value);
  };
  const close = (node: number): void => {
    const component = new Set(open.splice(open.lastIndexOf(node)));
    for (const one of component) isOpen.delete(one);
    if (component.size > 1) found.push(component);
  };
  for (const root of graph.keys()) {
    if (order.has(root)) continue;
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const edge = graph[node]?.[top.edge];
      top.edge += 1;
      if (edge === undefined) {
        path.pop();
        const below = path.at(-1);
        if (below !== undefined) lower(below.node, low[node] ?? 0);
        if (low[node] === order.get(node)) close(node);
      } else if (!order.has(edge.to)) enter(edge.to);
      else if (isOpen.has(edge.to)) lower(node, order.get(edge.to) ?? 0);
    }
  }
  return found;
}

/**
 * A cycle through `start` that stays within some nodes and passes as few nodes as can be, not counting those
 * that are free; undefined if there is none.
 */
export function shortestCycle<Label>(
  graph: Graph<Label>,
  start: number,
  { within, isFree }: { readonly within: ReadonlySet<number>; readonly isFree: (node: number) => boolean },
): readonly Step<Label>[] | undefined {
  const reachedBy = new Map<number, Step<Label>>();
  const settled = new Set<number>();
  // One round for each distance; free nodes are reached within the round.
  for (let round = [start]; round.length > 0; ) {
    const farther: number[] = [];
    for (const node of round) {
      if (settled.has(node)) continue;
      settled.add(node);
      for (const { to, label } of graph[node] ?? []) {
        if (!within.has(to) || (settled.has(to) && to !== start)) continue;
        if (isFree(to)) round.push(to);
        else if (reachedBy.has(to)) continue;
        else farther.push(to);
        reachedBy.set(to, { from: node, label });
        if (to === start) return backwards(reachedBy, start);
      }
    }
    round = farther;
  }
  return undefined;
}

function backwards<Label>(
  reachedBy: ReadonlyMap<number, Step<Label>>,
  start: number,
): readonly Step<Label>[] {
  const steps: Step<Label>[] = [];
  for (let step = reachedBy.get(start); step !== undefined; step = reachedBy.get(step.from)) {
    steps.unshift(step);
    if (step.from === start) return steps;
  }
  return steps;
}
