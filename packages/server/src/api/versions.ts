/** Of dkv, and of the etcd that it behaves like. */
export interface Versions {
  readonly dkv: string;
  readonly etcd: string;
}
