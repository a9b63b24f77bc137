import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import tls, { type TLSSocket } from "node:tls";
import { createAuthority, issueCertificate } from "@dkv/certificates";
import { isOutdated, isTrusted } from "../../src/platform/trust.ts";

/** A root, a CA that it has certified, and a certificate of that one with its key; good for a hundred years. */
const root = `-----BEGIN CERTIFICATE-----
MIIBUDCB96ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHJvb3QwIBcN
MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBHJvb3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASzyZ6tArM308cM3xtJ6cQL9MUAS814
fFI7APL7oY/fC9z9g0n7EcapHVo/pHCR8pVVNRSTdOciE7PCd3vL1ZGvo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAdBgNVHQ4EFgQUvTxHMxG9
in22HfsL/OI+8OP60xowCgYIKoZIzj0EAwIDSAAwRQIgagc1TWt9BdEdjeI/JKtC
R92U40wPxJa+zxRopPPndqsCIQD5/m0P28d7E0hPCiWG2cu6L9IuRXcTt4ZZR8gf
58GXpQ==
-----END CERTIFICATE-----
`;
const between = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MCAX
DTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdiZXR3
ZWVuMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEN0PdLYdgd4SPXwfiB/NGqCky
sb/TG8sW1o4BY87M7hN0CnYPWj8O29CLrFw8mDy12EWQqp858crnI2QLJN2L8qNj
MGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwHQYDVR0OBBYEFDbY
EZRRWGez7e5fzARNH2wtZZoVMB8GA1UdIwQYMBaAFL08RzMRvYp9th37C/ziPvDj
+tMaMAoGCCqGSM49BAMCA0gAMEUCIHGhRlQjD+uAUpOW67+LtI3/4qZ8CXvk7V8/
HOmjNMORAiEAyVVAAaDyL9UB9H0/PQwnALqst5lnaXKWry6Txa0dIEc=
-----END CERTIFICATE-----
`;
const leaf = `-----BEGIN CERTIFICATE-----
MIIBnTCCAUKgAwIBAgIBAzAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdiZXR3ZWVu
MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARs
ZWFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpoA0RFeVE/BpXqR+UfjrAscl
h0kQwJcIMY6/yOyBkrLJJvqEpb+AOCG/lyZ3Zp9W5ypa83gAaXXTAZI0lPwK3aOB
iTCBhjAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwHQYDVR0lBBYwFAYIKwYB
BQUHAwIGCCsGAQUFBwMBMAkGA1UdEwQCMAAwHQYDVR0OBBYEFH/gBBB88hVxeMUW
GbDExc8BgL2qMB8GA1UdIwQYMBaAFDbYEZRRWGez7e5fzARNH2wtZZoVMAoGCCqG
SM49BAMCA0kAMEYCIQC4uUxxM3p8cCGhRmjiHdqigJgohmZcN5TKM9memhTE4gIh
AKRyeLH+v7MDH7dizANqfYu9fAcphJMv6KYbyd2iCsHb
-----END CERTIFICATE-----
`;
const leafKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgc7JuJTfTyTfnMq8w
b6ESCgsp1tuy093gTtKH2Dvw3TehRANCAASmgDREV5UT8GlepH5R+OsCxyWHSRDA
lwgxjr/I7IGSsskm+oSlv4A4Ib+XJndmn1bnKlrzeABpddMBkjSU/Ard
-----END PRIVATE KEY-----
`;

/** A CA that has taken the root's name and key identifier, and a certificate from it for the same key. */
const impostor = `-----BEGIN CERTIFICATE-----
MIIBUTCB96ADAgECAgEEMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHJvb3QwIBcN
MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBHJvb3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR2I0zq2rb+cZJzIHAqD/xNUSXmOauK
SE1DJnDEA8pM1nPqRZ7YJnRRJgZ/PIjnvI48DBYH+n2iISg6vmCJRrMuo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAdBgNVHQ4EFgQUvTxHMxG9
in22HfsL/OI+8OP60xowCgYIKoZIzj0EAwIDSQAwRgIhAPxGvcsWcCxcSqXHtkvW
60q53drbPJD6qZ7pjem262fhAiEAi5mak940aATSLxB6h/AsgreVNs4DWJ7FeIMZ
A+gekQg=
-----END CERTIFICATE-----
`;
const fromImpostor = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIBBTAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MCAX
DTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARsZWFm
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpoA0RFeVE/BpXqR+UfjrAsclh0kQ
wJcIMY6/yOyBkrLJJvqEpb+AOCG/lyZ3Zp9W5ypa83gAaXXTAZI0lPwK3aOBiTCB
hjAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwHQYDVR0lBBYwFAYIKwYBBQUH
AwIGCCsGAQUFBwMBMAkGA1UdEwQCMAAwHQYDVR0OBBYEFH/gBBB88hVxeMUWGbDE
xc8BgL2qMB8GA1UdIwQYMBaAFL08RzMRvYp9th37C/ziPvDj+tMaMAoGCCqGSM49
BAMCA0gAMEUCIG+qpR5EbAfwJr0d1wkCxfFeOi6w+Mf4srZOl06A+muBAiEA2H4V
oFZUKftyVEjhFQWwKQ0Cgfa79+NK9BbZ27HxJ1A=
-----END CERTIFICATE-----
`;

const [old, fresh] = [await createAuthority(), await createAuthority()];
const request = { commonName: "x", hosts: ["localhost"], usages: ["serverAuth", "clientAuth"] } as const;
const [fromOld, renewed] = [await issueCertificate(old, request), await issueCertificate(old, request)];
const fromFresh = await issueCertificate(fresh, request);

interface Identity {
  readonly cert: string;
  readonly key: string;
}

const identity = ({
  certificate,
  key,
}: {
  readonly certificate: string;
  readonly key: string;
}): Identity => ({
  cert: certificate,
  key,
});

/** Both ends of a connection that the given authorities have let come about. */
async function connection(
  test: TestContext,
  ca: string,
  { client, server }: { readonly client: Identity | undefined; readonly server: Identity },
): Promise<{ accepted: TLSSocket; dialled: TLSSocket }> {
  const listener = tls.createServer({
    ...server,
    ca,
    requestCert: client !== undefined,
    rejectUnauthorized: client !== undefined,
  });
  listener.listen(0, "localhost");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const dialled = tls.connect({ ...client, host: "localhost", port, ca });
  const [[accepted]] = (await Promise.all([
    once(listener, "secureConnection"),
    once(dialled, "secureConnect"),
  ])) as [[TLSSocket], unknown];
  test.after(() => {
    dialled.destroy();
    accepted.destroy();
    listener.close();
  });
  return { accepted, dialled };
}

const both = old.certificate + fresh.certificate;

/** What the files hold at some time. */
const files = (ca: string, { cert }: Pick<Identity, "cert"> = identity(fromOld)) => ({
  cert: Buffer.from(cert),
  ca: Buffer.from(ca),
});

describe("a connection", () => {
  it("is trusted as long as the CA of the other side's certificate is among the trusted ones", async (test) => {
    const ends = { client: identity(fromOld), server: identity(fromFresh) };
    const { accepted, dialled } = await connection(test, both, ends);
    for (const [ca, client, server] of [
      [both, true, true],
      [old.certificate, true, false],
      [fresh.certificate, false, true],
    ] as const) {
      assert.equal(isTrusted(accepted, files(ca)), client);
      assert.equal(isTrusted(dialled, files(ca)), server);
    }
  });

  it("is trusted through certificates in between", async (test) => {
    const chained = { cert: leaf + between, key: leafKey };
    const { accepted, dialled } = await connection(test, root, { client: chained, server: chained });
    for (const end of [accepted, dialled]) {
      assert.ok(isTrusted(end, files(root, chained)));
      assert.ok(isTrusted(end, files(between)));
      assert.equal(isTrusted(end, files(both, chained)), false);
    }
    assert.ok(isTrusted(dialled, files(root)), "the other side has shown the one in between");
  });

  it("is not trusted for the name of its CA alone", async (test) => {
    const own = { cert: fromImpostor, key: leafKey };
    const { accepted, dialled } = await connection(test, impostor, { client: own, server: own });
    for (const end of [accepted, dialled]) {
      assert.ok(isTrusted(end, files(impostor)));
      assert.equal(isTrusted(end, files(root)), false);
    }
  });

  it("without a certificate, without authorities, or in clear, is not in question", async (test) => {
    const { accepted, dialled } = await connection(test, old.certificate, {
      client: undefined,
      server: identity(fromOld),
    });
    assert.ok(isTrusted(accepted, files(fresh.certificate)));
    assert.ok(isTrusted(dialled, { ...files(""), ca: undefined }));
    assert.ok(isTrusted(new net.Socket(), files(fresh.certificate)));
    assert.equal(isOutdated(new net.Socket(), files(fresh.certificate)), false);
  });

  it("is made anew once either certificate has lost its CA, but not with the same one again", async (test) => {
    const [ours, theirs] = [identity(fromOld), identity(fromFresh)];
    const { dialled } = await connection(test, both, { client: ours, server: theirs });
    for (const [now, isOut, why] of [
      [files(both, ours), false, "nothing is new"],
      [files(both, identity(renewed)), false, "the one in use is as good"],
      [files(fresh.certificate, theirs), true, "the one in use is not"],
      [files(fresh.certificate, ours), false, "there is no other"],
      [files(old.certificate, ours), true, "the other side's is not trusted"],
    ] as const) {
      assert.equal(isOutdated(dialled, now), isOut, why);
    }
  });
});
