/** Time, as a parameter: nothing outside this folder and the composition root sees the real one. */

/** Stops a timer. Calling it again does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since some fixed moment. Never goes back. Not the time of day. */
  nowMs(): number;
  after(delayMs: number, callback: () => void): Cancel;
  every(periodMs: number, callback: () => void): Cancel;
  /** Runs once all input that has already arrived has been read. */
  soon(callback: () => void): void;
}

/** The machine's monotonic clock. Its timers do not keep the process alive on their own. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => {
      clearTimeout(timer);
    };
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs).unref();
    return () => {
      clearInterval(timer);
    };
  },
  soon(callback) {
    setImmediate(callback);
  },
};
