/** How a transaction is written, as `dkvctl txn --help` explains it. */
export const txnHelp = `A transaction is written line by line:

  # all conditions have to hold; without any they do
  if version greeting = 3
  if missing lock
  then
  set greeting "hello again" --ttl 30s
  delete --prefix drafts/
  get greeting
  else
  get greeting

Conditions: if exists KEY, if missing KEY, and if PROPERTY KEY RELATION OPERAND, where PROPERTY is
version, create_revision, mod_revision, value or lease, and RELATION is =, !=, < or >. Write --prefix
before KEY for all keys that begin so.
Operations: get [--prefix] KEY [--limit COUNT] [--keys-only]; set KEY VALUE [--ttl DURATION]
[--lease LEASE] [--previous]; delete [--prefix] KEY [--previous].
A word with spaces, quotes or nothing in it is written as a JSON string. # begins a comment.
The exit status is 0 whether the conditions hold or not: the first line printed says succeeded or failed,
and -o json has "succeeded". 2: the transaction makes no sense; 1: it could not be done.`;
