import { Auth } from "@dkv/protocol/etcdserverpb/rpc";
import type { ErrorTranslator } from "../errors.ts";
import type { UnaryMethod } from "../unary-method.ts";
import type { AuthService } from "./auth-service.ts";
import { plainMethod } from "./method.ts";

export function authMethods(service: AuthService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { authEnable, authDisable, authStatus, authenticate } = Auth.method;
  return [
    plainMethod(authEnable, translate, (_, call) => service.enable(call)),
    plainMethod(authDisable, translate, (_, call) => service.disable(call)),
    plainMethod(authStatus, translate, (_, call) => service.status(call)),
    plainMethod(authenticate, translate, (request, call) => service.authenticate(request, call)),
    ...userMethods(service, translate),
    ...roleMethods(service, translate),
  ];
}

function userMethods(service: AuthService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { userAdd, userGet, userList, userDelete, userChangePassword } = Auth.method;
  const { userGrantRole, userRevokeRole } = Auth.method;
  return [
    plainMethod(userAdd, translate, (request, call) => service.addUser(request, call)),
    plainMethod(userGet, translate, (request, call) => service.getUser(request, call)),
    plainMethod(userList, translate, (_, call) => service.listUsers(call)),
    plainMethod(userDelete, translate, (request, call) => service.deleteUser(request, call)),
    plainMethod(userChangePassword, translate, (request, call) => service.changePassword(request, call)),
    plainMethod(userGrantRole, translate, (request, call) => service.grantRole(request, call)),
    plainMethod(userRevokeRole, translate, (request, call) => service.revokeRole(request, call)),
  ];
}

function roleMethods(service: AuthService, translate: ErrorTranslator): readonly UnaryMethod[] {
  const { roleAdd, roleGet, roleList, roleDelete, roleGrantPermission, roleRevokePermission } = Auth.method;
  return [
    plainMethod(roleAdd, translate, (request, call) => service.addRole(request, call)),
    plainMethod(roleGet, translate, (request, call) => service.getRole(request, call)),
    plainMethod(roleList, translate, (_, call) => service.listRoles(call)),
    plainMethod(roleDelete, translate, (request, call) => service.deleteRole(request, call)),
    plainMethod(roleGrantPermission, translate, (request, call) => service.grantPermission(request, call)),
    plainMethod(roleRevokePermission, translate, (request, call) => service.revokePermission(request, call)),
  ];
}
