/** Makes the bundles of `dkv` and `dkvctl`: `make build` does, once everything is compiled. */
import { bundle } from "./bundle.ts";

const packages = new URL("../packages/", import.meta.url);

await Promise.all([
  bundle({ name: "dkv", directory: new URL("server/", packages), minify: false }),
  bundle({ name: "dkvctl", directory: new URL("dkvctl/", packages), minify: true }),
]);
