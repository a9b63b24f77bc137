/** What `node tools/mutants/main.ts --help` says. */
export const help = `usage: make mutants [ONLY=words] [SIMULATE=seconds]
       node tools/mutants/main.ts [--only WORDS] [--simulate SECONDS]

Takes the guards that dkv's promises rest on out of the code, one after the other, and runs the tests that
ought to notice. A guard that nobody misses has no test that holds it: write one, or find out that the guard
does nothing and remove it.

First the tests run with every guard in place: what fails then fails for another reason, and does not count.
Nor does a test that fails once and passes when it is run again.

All of it happens in copies below the temporary directory, so work in the tree may go on; they are deleted at
the end, also after Ctrl-C. As many mutants are hunted at a time as there are cores. All guards together take
four minutes on two.

  --only WORDS         only mutants that have these words, as they stand here, in their description or the
                       path of their file: --only "without a sync", --only packages/raft
  --simulate SECONDS   has the simulator hunt for so long as well, without knowing of the tests (0: not)
  --help               shows this

For each mutant it prints what the code does without the guard, and which test noticed first:

   3/68 forgets to write a vote down when the term is the same
        tests: §5.2: a vote is on disk before it leaves (packages/raft/test/paper/elections.test.ts) (2.1 s)

Exit status: 0 if all were found, 1 if some were not or something failed with all guards in place, 2 if it
was called wrongly or the list of mutants does not fit the code, 128 and the signal's number if it was stopped.

A mutant is a few lines in tools/mutants/list/: what the code does without the guard, the file, the guard as
it stands there (exactly once: make lint looks), what takes its place, and the tests that ought to notice, the
most specific first.
`;
