/**
 * Seeds that fail if a mistake is made again, each with the mistake. Each was found by putting the mistake
 * back into a copy of the tree and simulating until a checker saw it. They are run with every check.
 *
 * A seed goes on meaning nearly the same run as long as what it draws is drawn from streams of the same names
 * (faults/swarm.ts). After changes of the production code's timing it may find nothing any more; then the
 * mistake has to be put back once more, and another seed looked for.
 */
export interface Regression {
  readonly seed: number;
  readonly found: string;
}

export const regressions: readonly Regression[] = [
  {
    seed: 35,
    found:
      "a refusal of an earlier term's leader was taken for one of the present leader, which had the command in " +
      "its log: it was proposed again, and applied twice",
  },
  {
    seed: 111,
    found:
      "a leader took up what had been handed to it in a term that was over, when its proposer had handed it on " +
      "again",
  },
  {
    seed: 70,
    found:
      "a member that took over a snapshot went on waiting for commands that were part of it, and proposed them " +
      "again",
  },
  {
    seed: 1,
    found:
      "a command was given up for lost, and proposed again, when any entry of the term was applied in which it " +
      "had been handed on",
  },
  { seed: 2, found: "a member read values of before through the snapshot that it had taken over" },
  {
    seed: 4,
    found: "a voter whose directory had been emptied was taken for the one that it had been, and voted again",
  },
  {
    seed: 18,
    found:
      "a member that was away while the others were replaced let none of the new ones in, and never came back",
  },
  {
    seed: 1_784_373_637,
    found:
      "the simulator's own: everybody whom a newcomer was told to ask had left, and nobody told it of the others",
  },
  {
    seed: 1_218_788_547,
    found:
      "the simulator's own: what a leader committed in the step in which it left a joint configuration was judged " +
      "by the one that it had left",
  },
  {
    seed: 970_105_221,
    found: "the simulator's own: a watcher that had read slowly asked a process that had ended meanwhile",
  },
  {
    seed: 366_640_228,
    found:
      "a member with a slow disk told another that it was removed, which had come and left in what was not " +
      "committed: it stopped for good",
  },
  {
    seed: 366_641_817,
    found:
      "the only voter, whose disk hung, led a term before that was on its disk, and once more after a crash",
  },
];
