/** What `node tools/mutants/main.ts --help` says. */
export const help = `usage: make mutants [ONLY=words] [SIMULATE=seconds]
       node tools/mutants/main.ts [--only WORDS] [--simulate SECONDS]

Takes the guards that dkv's promises rest on out of the code, one after the other, and runs the tests that
ought to notice. A guard that nobody misses has no test that holds it: write one, or find out that the guard
does nothing and remove it.

All of it happens in a copy below the temporary directory, so work in the tree may go on; the copy is
deleted at the end, also after Ctrl-C. All guards together take half an hour on two cores.

  --only WORDS         only mutants that have these words, as they stand here, in their description or the
                       path of their file: --only "without a sync", --only packages/raft
  --simulate SECONDS   has the simulator hunt for so long as well, without knowing of the tests (0: not)
  --help               shows this

For each mutant it prints what the code does without the guard, and which test noticed first:

   3/58 forgets to write a vote down when the term is the same
        tests: §5.2: a vote is on disk before it leaves (2.1 s)

Exit status: 0 if all were found, 1 if some were not, 2 if it was called wrongly or the list of mutants does
not fit the code, 128 and the signal's number if it was stopped.

A mutant is a few lines in tools/mutants/list/: what the code does without the guard, the file, the guard as
it stands there (exactly once: make lint looks), what takes its place, and the tests that ought to notice.
`;
