/** How long a dead client's connection is kept before the kernel asks whether it lives. */
const keepAliveDelayMs = 30_000;

/** Of every connection that a client makes. */
export const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };
