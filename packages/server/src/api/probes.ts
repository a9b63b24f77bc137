/** A port for those who watch over a member: what they ask for on the client port, and nothing else. */
import type { HttpResponse, RequestHandlers } from "../listener/request-handlers.ts";
import { textResponse } from "./plain-response.ts";

const paths = ["/health", "/livez", "/metrics", "/readyz", "/version"];

export function probesOf(api: RequestHandlers): RequestHandlers {
  return {
    onStream: () => undefined,
    async onRequest(request): Promise<HttpResponse> {
      const path = request.target.replace(/\?.*$/s, "");
      if (paths.includes(path)) return api.onRequest(request);
      return textResponse(404, `nothing is served at this path: there are ${paths.join(", ")}`);
    },
    // Whoever closes the client port tells them.
    onClosing: () => undefined,
  };
}
