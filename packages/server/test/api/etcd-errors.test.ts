/** What clients of etcd are told of each refusal: they go by the codes, and by the very texts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createEtcdTranslator } from "../../src/api/etcd-v3/errors.ts";
import { DkvError, type ErrorCode, errorCodes } from "../../src/platform/errors.ts";

const ownText = "what dkv says itself";

const expected: Readonly<Record<ErrorCode, readonly [keyof typeof Code, string]>> = {
  emptyKey: ["InvalidArgument", "etcdserver: key is not provided"],
  requestTooLarge: ["InvalidArgument", "etcdserver: request is too large"],
  keyNotFound: ["InvalidArgument", "etcdserver: key not found"],
  invalidRequest: ["InvalidArgument", ownText],
  preconditionFailed: ["FailedPrecondition", ownText],
  duplicateKey: ["InvalidArgument", "etcdserver: duplicate key given in txn request"],
  compacted: ["OutOfRange", "etcdserver: mvcc: required revision has been compacted"],
  futureRevision: ["OutOfRange", "etcdserver: mvcc: required revision is a future revision"],
  leaseNotFound: ["NotFound", "etcdserver: requested lease not found"],
  leaseExists: ["FailedPrecondition", "etcdserver: lease already exists"],
  userEmpty: ["InvalidArgument", "etcdserver: user name is empty"],
  userNotFound: ["FailedPrecondition", "etcdserver: user name not found"],
  userExists: ["FailedPrecondition", "etcdserver: user name already exists"],
  roleEmpty: ["InvalidArgument", "etcdserver: role name is empty"],
  roleNotFound: ["FailedPrecondition", "etcdserver: role name not found"],
  roleExists: ["FailedPrecondition", "etcdserver: role name already exists"],
  roleNotGranted: ["FailedPrecondition", "etcdserver: role is not granted to the user"],
  permissionNotGiven: ["InvalidArgument", "etcdserver: permission not given"],
  permissionNotGranted: ["FailedPrecondition", "etcdserver: permission is not granted to the role"],
  permissionDenied: ["PermissionDenied", "etcdserver: permission denied"],
  rootUserMissing: ["FailedPrecondition", "etcdserver: root user does not exist"],
  rootRoleMissing: ["FailedPrecondition", "etcdserver: root user does not have root role"],
  invalidAuthManagement: ["InvalidArgument", "etcdserver: invalid auth management"],
  authNotEnabled: ["FailedPrecondition", "etcdserver: authentication is not enabled"],
  authFailed: ["InvalidArgument", "etcdserver: authentication failed, invalid user ID or password"],
  invalidAuthToken: ["Unauthenticated", "etcdserver: invalid auth token"],
  authRevisionOld: ["InvalidArgument", "etcdserver: revision of auth store is old"],
  unimplemented: ["Unimplemented", ownText],
  unknownMember: ["NotFound", "etcdserver: member not found"],
  memberExists: ["FailedPrecondition", "etcdserver: Peer URLs already exists"],
  quorumAtRisk: [
    "FailedPrecondition",
    "etcdserver: re-configuration failed due to not enough started members",
  ],
  notVoter: ["FailedPrecondition", "etcdserver: bad leader transferee"],
  noLeader: ["Unavailable", "etcdserver: no leader"],
  notLeader: ["Unavailable", "etcdserver: leader changed"],
  overloaded: ["ResourceExhausted", "etcdserver: too many requests"],
  diskFull: ["ResourceExhausted", "etcdserver: mvcc: database space exceeded"],
  noSpace: ["ResourceExhausted", "etcdserver: mvcc: database space exceeded"],
  stopping: ["Unavailable", "etcdserver: server stopped"],
  corrupt: ["DataLoss", "etcdserver: corrupt cluster"],
  readTimeout: ["Unavailable", "etcdserver: request timed out"],
  changeInProgress: ["Unavailable", "etcdserver: unhealthy cluster"],
  notCaughtUp: [
    "FailedPrecondition",
    "etcdserver: can only promote a learner member which is in sync with leader",
  ],
  notAnswering: ["Unavailable", "etcdserver: request timed out"],
  canceled: ["Canceled", "etcdserver: request canceled"],
  outcomeUnknown: ["Unavailable", "etcdserver: request timed out"],
  writeTimeout: ["Unavailable", "etcdserver: request timed out"],
};

describe("what clients of etcd are told", () => {
  const translate = createEtcdTranslator((error) => ConnectError.from(error));

  it("is for each refusal the code and the text of etcd, or dkv's own where etcd has none", () => {
    for (const code of errorCodes) {
      const { code: told, rawMessage } = translate(new DkvError(code, ownText));
      assert.deepEqual([Code[told], rawMessage], expected[code], code);
    }
  });

  it("never says of what may have been done that it was not", () => {
    for (const code of errorCodes) {
      if (new DkvError(code, ownText).retry !== "outcomeUnknown") continue;
      const told = translate(new DkvError(code, ownText)).code;
      assert.ok(told === Code.Unavailable || told === Code.Canceled, code);
    }
  });

  it("is of any other error what everybody is told", () => {
    const other = new ConnectError("other", Code.Aborted);
    assert.equal(translate(other), other);
  });
});
