/** Targets that take longer to load than a short run takes. */
import { fuzz } from "@dkv/fuzz";
import fc from "fast-check";

await new Promise((resolve) => setTimeout(resolve, 1500));

fuzz("slow to load", { input: fc.nat(255), check: () => undefined });
