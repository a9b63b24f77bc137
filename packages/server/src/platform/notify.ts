/**
 * Tells systemd that a service has started, for units of Type=notify.
 *
 * systemd listens on a datagram socket of the system, which Node cannot write to. Its own systemd-notify can:
 * as root it speaks for the process that started it; of other users systemd takes the word of a child process
 * only where the unit says NotifyAccess=all.
 */
import { spawn } from "node:child_process";
import type { Logger } from "pino";

const advice = "with Type=notify the unit waits for it: install systemd-notify, or write Type=exec there";

/** Does nothing where nobody waits. Resolves when it is over, also if it could not be done. */
export async function notifyReady(
  environment: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<void> {
  if ((environment["NOTIFY_SOCKET"] ?? "") === "") return;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const child = spawn("systemd-notify", ["--ready"], { stdio: "ignore" });
  child.once("error", (error) => {
    resolve(error.message);
  });
  child.once("exit", (code) => {
    resolve(code === 0 ? undefined : `systemd-notify has ended with ${String(code)}`);
  });
  const failure = await promise;
  if (failure === undefined) logger.debug("systemd knows that the member is ready");
  else logger.warn({ reason: failure }, `systemd was not told that the member is ready; ${advice}`);
}
