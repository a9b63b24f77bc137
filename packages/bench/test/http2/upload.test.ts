import assert from "node:assert/strict";
import type { ServerHttp2Stream, Settings } from "node:http2";
import { test } from "node:test";
import { requestHeaders } from "../../src/grpc/message.ts";
import { type Dialled, dial } from "../../src/http2/dial.ts";
import type { Upload } from "../../src/http2/upload.ts";
import { type GrpcServer, startStreamingServer } from "../fixtures/grpc-server.ts";

const tooLongMs = 10_000;

/** A stream that is open, and what has come on it. */
interface Conversation extends Dialled {
  readonly server: GrpcServer;
  readonly upload: Upload;
  readonly ended: Promise<string>;
  received(): Buffer;
  /** Resolves when so much has come. */
  until(bytes: number): Promise<void>;
}

async function conversing(
  converse: (stream: ServerHttp2Stream) => void,
  use: (conversation: Conversation) => Promise<void>,
  settings: Settings = {},
): Promise<void> {
  const server = await startStreamingServer(converse, settings);
  try {
    const dialled = await dial(server.target, AbortSignal.timeout(tooLongMs));
    const parts: Buffer[] = [];
    const ended = Promise.withResolvers<string>();
    let wake = (): void => undefined;
    const received = (): Buffer => Buffer.concat(parts);
    const upload = dialled.connection.open({
      headers: requestHeaders(server.target, "/stream"),
      onData: (source, start, end) => {
        parts.push(Buffer.from(source.subarray(start, end)));
        wake();
      },
      onEnd: () => {
        ended.resolve("ended");
      },
      onFailure: (reason) => {
        ended.resolve(reason);
      },
    });
    dialled.connection.flush();
    const until = async (bytes: number): Promise<void> => {
      while (received().length < bytes) {
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        await Promise.race([woken.promise, ended.promise.then((how) => assert.fail(how))]);
      }
    };
    await use({ ...dialled, server, upload, ended: ended.promise, received, until });
    dialled.close();
    await dialled.closed;
  } finally {
    await server.close();
  }
}

const echo = (stream: ServerHttp2Stream): void => {
  stream.respond({ ":status": 200 });
  stream.pipe(stream);
};

test("what is sent piece by piece is answered while the request goes on", async () => {
  await conversing(echo, async ({ connection, upload, ended, received, until }) => {
    for (const text of ["one", "two", "three"]) {
      const before = received().length;
      upload.send(Buffer.from(text));
      connection.flush();
      await until(before + text.length);
    }
    assert.equal(received().toString(), "onetwothree");
    upload.end();
    connection.flush();
    assert.equal(await ended, "ended");
  });
});

test("more than the windows admit goes out as they open, in order", async () => {
  const pieces = Array.from({ length: 60 }, (_, at) => Buffer.alloc(10_000, at));
  await conversing(
    echo,
    async ({ connection, upload, ended, received, until }) => {
      for (const piece of pieces) upload.send(piece);
      upload.end();
      connection.flush();
      await until(600_000);
      assert.ok(received().equals(Buffer.concat(pieces)));
      assert.equal(await ended, "ended");
    },
    { initialWindowSize: 20_000 },
  );
});

test("an answer that is longer than the window arrives whole", async () => {
  const bytes = 10_000_000;
  const talk = (stream: ServerHttp2Stream): void => {
    stream.resume();
    stream.respond({ ":status": 200 });
    stream.end(Buffer.alloc(bytes, "z"));
  };
  await conversing(talk, async ({ until, received, ended }) => {
    await until(bytes);
    assert.equal(received().length, bytes);
    assert.equal(await ended, "ended");
  });
});

test("a stream that is reset says so, and a connection that has ended opens no more", async () => {
  await conversing(
    (stream) => {
      stream.close(8);
    },
    async ({ server, connection, ended, closed }) => {
      assert.equal(await ended, "stream reset, error 8");
      for (const session of server.sessions) session.destroy();
      await closed;
      const nothing = { headers: [], onData: () => {}, onEnd: () => {}, onFailure: () => {} };
      assert.throws(() => connection.open(nothing), /connection/);
    },
  );
});
