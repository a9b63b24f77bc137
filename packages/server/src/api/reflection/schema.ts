import { createRegistry, type DescFile, type DescService, type Registry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The schema of a set of services, as reflection hands it out. */
export class Schema {
  /** Full names of the services, in order. */
  readonly serviceNames: readonly string[];
  readonly #registry: Registry;
  readonly #files: ReadonlyMap<string, DescFile>;

  constructor(services: readonly DescService[]) {
    this.serviceNames = services.map((service) => service.typeName).sort((a, b) => (a < b ? -1 : 1));
    const files = withImports(services.map((service) => service.file));
    this.#registry = createRegistry(...files);
    this.#files = new Map(files.map((file) => [file.proto.name, file]));
  }

  /** The file with this name and all that it imports, serialized, the file first. */
  fileByName(name: string): readonly Uint8Array[] | undefined {
    const file = this.#files.get(name);
    return file === undefined ? undefined : serialize(file);
  }

  /** Likewise the file that declares a service, method, message, field or enum, by its full name. */
  fileBySymbol(symbol: string): readonly Uint8Array[] | undefined {
    const file = this.#declaringFile(symbol);
    return file === undefined ? undefined : serialize(file);
  }

  hasMessage(typeName: string): boolean {
    return this.#registry.getMessage(typeName) !== undefined;
  }

  #declaringFile(symbol: string): DescFile | undefined {
    const type = this.#registry.get(symbol);
    if (type !== undefined) return type.file;
    const dot = symbol.lastIndexOf(".");
    const parent = this.#registry.get(symbol.slice(0, Math.max(dot, 0)));
    const member = symbol.slice(dot + 1);
    switch (parent?.kind) {
      case "service":
        return parent.methods.some((method) => method.name === member) ? parent.file : undefined;
      case "message":
        return parent.members.some(({ name }) => name === member) ? parent.file : undefined;
      default:
        return undefined;
    }
  }
}

function withImports(files: readonly DescFile[]): readonly DescFile[] {
  const found = new Set<DescFile>();
  const visit = (file: DescFile): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const imported of file.dependencies) visit(imported);
  };
  for (const file of files) visit(file);
  return [...found];
}

function serialize(file: DescFile): readonly Uint8Array[] {
  return withImports([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}
