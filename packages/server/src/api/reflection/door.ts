/** Server reflection: clients without the schema, such as grpcurl, ask for it. */
import type { DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { ServerReflection, type ServerReflectionRequest } from "@dkv/protocol/grpc/reflection/v1/reflection";
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionRequest as AlphaRequest,
} from "@dkv/protocol/grpc/reflection/v1alpha/reflection";
import type { Door } from "../door.ts";
import { Schema } from "./schema.ts";

/** What can be asked, in the shape that both versions share. */
type Question = ServerReflectionRequest["messageRequest"] | AlphaRequest["messageRequest"];

/** What can be answered. Plain objects, which Connect makes into messages of either version. */
type Answer =
  | { readonly case: "listServicesResponse"; readonly value: { service: { name: string }[] } }
  | { readonly case: "fileDescriptorResponse"; readonly value: { fileDescriptorProto: Uint8Array[] } }
  | { readonly case: "allExtensionNumbersResponse"; readonly value: { baseTypeName: string } }
  | { readonly case: "errorResponse"; readonly value: { errorCode: number; errorMessage: string } };

/** The door of reflection, in both of its versions. @param services of the other doors */
export function createReflectionDoor(services: readonly DescService[]): Door {
  const own = [ServerReflection, ServerReflectionAlpha];
  const schema = new Schema([...services, ...own]);
  return {
    services: own,
    routes(router) {
      router.service(ServerReflection, {
        serverReflectionInfo: (requests) => answers(requests, schema),
      });
      router.service(ServerReflectionAlpha, {
        serverReflectionInfo: (requests) => answers(requests, schema),
      });
    },
    hotMethods: [],
    resources: new Map(),
  };
}

async function* answers<Request extends ServerReflectionRequest | AlphaRequest>(
  requests: AsyncIterable<Request>,
  schema: Schema,
): AsyncGenerator<{ validHost: string; originalRequest: Request; messageResponse: Answer }> {
  for await (const request of requests) {
    const messageResponse = answer(request.messageRequest, schema);
    yield { validHost: request.host, originalRequest: request, messageResponse };
  }
}

function answer(question: Question, schema: Schema): Answer {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: schema.serviceNames.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return files(schema.fileByName(question.value), question.value);
    case "fileContainingSymbol":
      return files(schema.fileBySymbol(question.value), question.value);
    case "fileContainingExtension":
      return failure(Code.NotFound, `no extensions of ${question.value.containingType} are known`);
    case "allExtensionNumbersOfType":
      return schema.hasMessage(question.value)
        ? { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value } }
        : failure(Code.NotFound, `no message is named ${question.value}`);
    case undefined:
      return failure(Code.InvalidArgument, "the request asks nothing");
  }
}

function files(found: readonly Uint8Array[] | undefined, name: string): Answer {
  if (found === undefined) return failure(Code.NotFound, `nothing is named ${name}`);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: [...found] } };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
