/**
 * Values by intervals, for asking which of them a key is in: a binary search tree in the order of where
 * intervals begin, in which every node knows how far those below it reach.
 *
 * It stays balanced as a treap does: each node has a priority that looks random, and none has a higher one
 * than the node above it.
 */
import type { ByteString, Interval } from "@dkv/store";

interface Node<Value> {
  readonly interval: Interval;
  readonly value: Value;
  readonly priority: number;
  left: Node<Value> | undefined;
  right: Node<Value> | undefined;
  /** Behind the last key that it, or a node below it, reaches; undefined: to the end. */
  reach: ByteString | undefined;
}

type Tree<Value> = Node<Value> | undefined;

export class IntervalTree<Value> {
  #root: Tree<Value>;
  #seed = 0x2545f491;

  get(interval: Interval): Value | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const order = compare(interval, node.interval);
      if (order === 0) return node.value;
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  }

  /** An interval that is not there. */
  add(interval: Interval, value: Value): void {
    const { before: reach } = interval;
    const fresh = { interval, value, priority: this.#draw(), left: undefined, right: undefined, reach };
    this.#root = inserted(this.#root, fresh);
  }

  /** An interval that is there. */
  delete(interval: Interval): void {
    this.#root = removed(this.#root, interval);
  }

  /** Calls back for each interval that has the key: takes no longer than these and the depth of the tree. */
  visit(key: ByteString, found: (value: Value) => void): void {
    visit(this.#root, key, found);
  }

  /** The next of a fixed row of numbers (xorshift). */
  #draw(): number {
    let seed = this.#seed;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    this.#seed = seed;
    return seed;
  }
}

function visit<Value>(tree: Tree<Value>, key: ByteString, found: (value: Value) => void): void {
  if (tree === undefined || !isBelow(key, tree.reach)) return;
  visit(tree.left, key, found);
  if (key < tree.interval.from) return;
  if (isBelow(key, tree.interval.before)) found(tree.value);
  visit(tree.right, key, found);
}

function inserted<Value>(tree: Tree<Value>, fresh: Node<Value>): Node<Value> {
  if (tree === undefined) return fresh;
  const isLeft = compare(fresh.interval, tree.interval) < 0;
  if (fresh.priority > tree.priority) {
    [fresh.left, fresh.right] = split(tree, fresh.interval);
    return measured(fresh);
  }
  if (isLeft) tree.left = inserted(tree.left, fresh);
  else tree.right = inserted(tree.right, fresh);
  return measured(tree);
}

function removed<Value>(tree: Tree<Value>, interval: Interval): Tree<Value> {
  if (tree === undefined) return undefined;
  const order = compare(interval, tree.interval);
  if (order === 0) return joined(tree.left, tree.right);
  if (order < 0) tree.left = removed(tree.left, interval);
  else tree.right = removed(tree.right, interval);
  return measured(tree);
}

/** What is before an interval, and what is behind it. */
function split<Value>(tree: Tree<Value>, interval: Interval): [Tree<Value>, Tree<Value>] {
  if (tree === undefined) return [undefined, undefined];
  if (compare(tree.interval, interval) < 0) {
    const [low, high] = split(tree.right, interval);
    tree.right = low;
    return [measured(tree), high];
  }
  const [low, high] = split(tree.left, interval);
  tree.left = high;
  return [low, measured(tree)];
}

/** All of one are before all of the other. */
function joined<Value>(low: Tree<Value>, high: Tree<Value>): Tree<Value> {
  if (low === undefined) return high;
  if (high === undefined) return low;
  if (low.priority > high.priority) {
    low.right = joined(low.right, high);
    return measured(low);
  }
  high.left = joined(low, high.left);
  return measured(high);
}

function measured<Value>(node: Node<Value>): Node<Value> {
  node.reach = farther(node.interval.before, farther(reachOf(node.left), reachOf(node.right)));
  return node;
}

/** Of nothing: no key is below it. */
const reachOf = <Value>(tree: Tree<Value>): ByteString | undefined => (tree === undefined ? "" : tree.reach);

const farther = (a: ByteString | undefined, b: ByteString | undefined): ByteString | undefined =>
  a === undefined || b === undefined ? undefined : a < b ? b : a;

const isBelow = (key: ByteString, end: ByteString | undefined): boolean => end === undefined || key < end;

function compare(a: Interval, b: Interval): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  if (a.before === b.before) return 0;
  return isBelow(a.before ?? "", b.before) && a.before !== undefined ? -1 : 1;
}
