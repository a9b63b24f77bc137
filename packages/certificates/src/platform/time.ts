/** The time of day, which certificates are made of. The only place that asks for it. */
export function timeOfDay(): Date {
  return new Date();
}
