import type { Command } from "@dkv/protocol/dkv/peer/v1/command";

/** What a caller may ask the store to do: the oneof of a Command, always set. */
export type Operation = Exclude<Command["operation"], { case: undefined }>;
