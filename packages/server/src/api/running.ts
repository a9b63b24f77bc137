/** How much of one kind is under way, for all users of a member together. */
export interface Running {
  count: number;
}
