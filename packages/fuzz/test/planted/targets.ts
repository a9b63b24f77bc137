/** Targets that go wrong, each in its way, and one that does not. */
import { fuzz } from "@dkv/fuzz";
import fc from "fast-check";

const byte = fc.nat(255);

fuzz("all is well", { input: byte, check: () => undefined });

fuzz("a name that is far longer than those of most targets are", { input: byte, check: () => undefined });

fuzz("does not like 200", {
  input: byte,
  check(one) {
    if (one >= 200) throw new RangeError("200 or more");
  },
});

fuzz("hangs at 200", {
  input: byte,
  check(one) {
    while (one >= 200);
  },
});

fuzz("waits for ever at 200", {
  input: byte,
  async check(one) {
    while (one >= 200) await new Promise(setImmediate);
  },
});

fuzz("believes a length", {
  input: byte,
  // So much that nothing that is cleared up at the same time hides it.
  check: (one) => void Buffer.alloc(one >= 200 ? 2 ** 29 : 0),
});

fuzz("throws where nobody catches it", {
  input: byte,
  async check(one) {
    if (one >= 200)
      setImmediate(() => {
        throw new Error("nobody's");
      });
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  },
});
