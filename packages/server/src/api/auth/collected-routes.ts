/** What a door would register with Connect, to be called when it is known who asks. */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from "@bufbuild/protobuf";
import type { ConnectRouter, MethodImpl } from "@connectrpc/connect";
import type { Door } from "../door.ts";

/** Which one it is says its method. */
export type Implementation =
  | MethodImpl<DescMethodUnary>
  | MethodImpl<DescMethodServerStreaming>
  | MethodImpl<DescMethodClientStreaming>
  | MethodImpl<DescMethodBiDiStreaming>;

export type Routes = ReadonlyMap<DescMethod, Implementation>;

export function routesOf(door: Door): Routes {
  const routes = new Map<DescMethod, Implementation>();
  const router: ConnectRouter = {
    handlers: [],
    service(service: DescService, implementation: object) {
      const byName = implementation as Readonly<Record<string, Implementation | undefined>>;
      for (const method of service.methods) {
        const implemented = byName[method.localName];
        if (implemented !== undefined) routes.set(method, implemented);
      }
      return router;
    },
    rpc(method: DescMethod, implementation: unknown) {
      routes.set(method, implementation as Implementation);
      return router;
    },
  };
  door.routes(router);
  return routes;
}
