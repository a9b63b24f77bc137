export {
  createAuthority,
  issueCertificate,
  type CertificateRequest,
  type Credentials,
  type Usage,
} from "./certificate.ts";
export { CertificatesError, makeCertificates, type MakeOptions, type MakeResult } from "./make.ts";
export { revoke } from "./revocations.ts";
