/** What may happen to the connections between members. */

/** All connections that one member has dialled to another, on which it alone sends messages. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

export type Effect =
  /** Nothing passes; what is sent meanwhile passes afterwards, if the connection lives until then. */
  | { readonly kind: "block" }
  /** Everything is late by `ms`, and up to `jitterMs` more; the order stays. */
  | { readonly kind: "delay"; readonly ms: number; readonly jitterMs: number }
  /** Some connections, old and new, fall silent for good, and nobody is told. */
  | { readonly kind: "silence"; readonly probability: number }
  /** One connection after the other is reset, about one in `meanMs`. */
  | { readonly kind: "reset"; readonly meanMs: number }
  /** Connections end after about so many bytes, wherever in a frame that is. */
  | { readonly kind: "cut"; readonly meanBytes: number };

/** An effect and where it is felt. */
export interface Disturbance {
  readonly effect: Effect;
  hits(link: Link): boolean;
}
