/** The ports of the protocols that are served only where a flag asks for it. */
import type { Socket } from "node:net";
import type { Logger } from "pino";
import { commonNameOf } from "../api/auth/credentials.ts";
import type { Guard } from "../api/auth/guard.ts";
import { PerAsker } from "../api/auth/per-asker.ts";
import { createBinaryDoor } from "../api/binary/door.ts";
import type { StreamConnection } from "../api/stream/connection.ts";
import type { StreamDoor } from "../api/stream/door.ts";
import { createStreamRooms } from "../api/stream/room.ts";
import { createTextDoor } from "../api/text/door.ts";
import type { Config } from "../config/config.ts";
import type { ClientListener } from "../listener/port.ts";
import { createStreamListener, type StreamListenerDeps } from "../listener/stream-listener.ts";
import type { ListenAddress } from "../platform/address.ts";
import type { Clock } from "../platform/clock.ts";
import type { Callers } from "../platform/listening.ts";

type Asked = Pick<Config, "text" | "listenBinaryAddress" | "clientTls" | "maxRequestBytes">;

export function createStreamListeners(
  { text, listenBinaryAddress, clientTls, maxRequestBytes }: Asked,
  guard: Guard,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): readonly ClientListener[] {
  const deps = { clock, logger, rooms: createStreamRooms() };
  const listeners: ClientListener[] = [];
  const add = (address: ListenAddress, callers: Callers, serve: StreamListenerDeps["serve"]): void => {
    listeners.push(createStreamListener({ address, callers, tls: clientTls }, { clock, logger, serve }));
  };
  if (text !== undefined) {
    const options = { maxRequestBytes, isForwarded: text.isForwarded };
    const doors = new PerAsker((asker) => createTextDoor(options, { ...deps, member: guard.viewOf(asker) }));
    add(text.listenAddress, "clients of the text protocol", (socket) => serve(doors, socket));
  }
  if (listenBinaryAddress !== undefined) {
    const doors = new PerAsker((asker) =>
      createBinaryDoor({ maxRequestBytes }, { ...deps, member: guard.viewOf(asker) }),
    );
    add(listenBinaryAddress, "clients of the binary protocol", (socket) => serve(doors, socket));
  }
  return listeners;
}

/** These protocols carry no credentials: a user is known by a certificate, or not at all. */
function serve<Request>(doors: PerAsker<StreamDoor<Request>>, socket: Socket): StreamConnection<Request> {
  const name = commonNameOf(socket);
  return doors.of(name === undefined ? undefined : { name, passwordHash: undefined }).serve(socket);
}
