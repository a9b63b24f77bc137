import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { frameMessage, requestHeaders } from "../../src/grpc/message.ts";
import { call, callOnce } from "../../src/grpc/unary.ts";
import { type Dialled, dial } from "../../src/http2/dial.ts";
import { type Answer, type GrpcServer, refuse, reply, startGrpcServer } from "../fixtures/grpc-server.ts";
import type { Settings } from "node:http2";

const echo: Answer = (stream, { body }) => {
  reply(stream, body.subarray(5));
};

interface Parts extends Pick<GrpcServer, "target" | "sessions">, Dialled {}

async function connected(
  answer: Answer,
  use: (parts: Parts) => Promise<void>,
  settings: Settings = {},
): Promise<void> {
  const server = await startGrpcServer(answer, settings);
  try {
    const dialled = await dial(server.target, AbortSignal.timeout(10_000));
    await use({ ...server, ...dialled });
    dialled.close();
    await dialled.closed;
  } finally {
    await server.close();
  }
}

function ask({ connection, target }: Parts, text: string, path = "/echo"): Promise<string> {
  const request = { headers: requestHeaders(target, path), body: frameMessage(Buffer.from(text)) };
  return call(connection, request).then((message) => message.toString());
}

const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `call ${at}`);

test("calls on one connection are answered each with its own message", async () => {
  await connected(echo, async (parts) => {
    const texts = numbers(200);
    assert.deepEqual(await Promise.all(texts.map((text) => ask(parts, text))), texts);
  });
});

test("the server reads every header on the first call and on later ones", async () => {
  const paths: string[] = [];
  const remember: Answer = (stream, request) => {
    paths.push(request.path);
    echo(stream, request);
  };
  await connected(remember, async (parts) => {
    for (const path of ["/a", "/b", "/a", "/b"]) await ask(parts, "x", path);
  });
  assert.deepEqual(paths, ["/a", "/b", "/a", "/b"]);
});

test("a server that offers a smaller header table still reads every header", async () => {
  await connected(
    echo,
    async (parts) => {
      for (const text of numbers(3)) assert.equal(await ask(parts, text), text);
    },
    { headerTableSize: 0 },
  );
});

test("no more streams are open than the server allows", async () => {
  let open = 0;
  let most = 0;
  const slowEcho: Answer = (stream, request) => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      echo(stream, request);
    });
  };
  await connected(
    slowEcho,
    async (parts) => {
      const texts = numbers(50);
      assert.deepEqual(await Promise.all(texts.map((text) => ask(parts, text))), texts);
    },
    { maxConcurrentStreams: 3 },
  );
  assert.ok(most <= 3, `${most} were open at once`);
});

test("more than the server's window is sent as the window opens", async () => {
  await connected(echo, async (parts) => {
    const texts = numbers(40).map((text) => text.padEnd(10_000, "."));
    assert.deepEqual(await Promise.all(texts.map((text) => ask(parts, text))), texts);
  });
});

test("large answers arrive whole", async () => {
  const large = Buffer.alloc(300_000, "z");
  await connected(
    (stream) => {
      reply(stream, large);
    },
    async (parts) => {
      assert.equal((await ask(parts, "x")).length, large.length);
    },
  );
});

test("pings are answered", async () => {
  await connected(echo, async ({ sessions }) => {
    const payload = Buffer.from("12345678");
    const pong = Promise.withResolvers<Buffer>();
    sessions[0]?.ping(payload, (error, _, returned) => {
      if (error === null) pong.resolve(returned);
      else pong.reject(error);
    });
    assert.deepEqual(await pong.promise, payload);
  });
});

test("a status other than 0 is an error with its text, in trailers and alone", async () => {
  const status = { "grpc-status": "14", "grpc-message": "no leader, try again" };
  await connected(
    (stream, { path }) => {
      if (path === "/alone") refuse(stream, status);
      else reply(stream, Buffer.from("ignored"), status);
    },
    async (parts) => {
      await assert.rejects(ask(parts, "x", "/alone"), /gRPC status 14: no leader, try again/);
      await assert.rejects(ask(parts, "x", "/after"), /gRPC status 14: no leader, try again/);
    },
  );
});

test("an answer without a status is an error", async () => {
  await connected(
    (stream) => {
      stream.respond({ ":status": 503 }, { endStream: true });
    },
    async (parts) => {
      await assert.rejects(ask(parts, "x"), /gRPC status missing: HTTP status 503/);
    },
  );
});

test("a stream that is reset is an error, and the connection goes on", async () => {
  await connected(
    (stream, request) => {
      if (request.path === "/reset") stream.close(11);
      else echo(stream, request);
    },
    async (parts) => {
      await assert.rejects(ask(parts, "x", "/reset"), /stream reset, error 11/);
      assert.equal(await ask(parts, "still there"), "still there");
    },
  );
});

test("when the server goes away, open calls fail and later ones fail at once", async () => {
  await connected(
    (stream) => {
      stream.session?.destroy();
    },
    async (parts) => {
      await assert.rejects(ask(parts, "x"), /connection/);
      await parts.closed;
      assert.equal(parts.connection.hasEnded, true);
      await assert.rejects(ask(parts, "x"), /connection/);
    },
  );
});

test("dialling a port where nothing listens rejects with the address", async () => {
  const server = await startGrpcServer(echo);
  await server.close();
  await assert.rejects(
    callOnce(server.target, { path: "/x", message: Buffer.from(""), timeoutMs: 5_000 }),
    (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, new RegExp(`127.0.0.1:${server.target.port}.*ECONNREFUSED`));
      return true;
    },
  );
});

test("a server that never answers is given up", async () => {
  const server = await startGrpcServer(() => undefined);
  try {
    const asked = callOnce(server.target, { path: "/x", message: Buffer.from(""), timeoutMs: 100 });
    await assert.rejects(asked, /no answer in time/);
    const session = server.sessions[0];
    if (session?.destroyed === false) await once(session, "close");
  } finally {
    await server.close();
  }
});
