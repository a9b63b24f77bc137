/** The certificates that members and clients are started with, and how they are replaced while all runs. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "@dkv/certificates";
import { sleep } from "../platform/time.ts";

/** Members look at their files every two seconds. */
const noticedMs = 3_000;

export class CertificateFiles {
  /** As `make certs` leaves it. */
  readonly directory: string;
  /** Two authorities, each with certificates of its own; they take turns. */
  readonly #sources: readonly [string, string];
  #current = 0;

  private constructor(directory: string, sources: readonly [string, string]) {
    this.directory = directory;
    this.#sources = sources;
  }

  static async make(scratch: string): Promise<CertificateFiles> {
    const sources = [join(scratch, "authority-0"), join(scratch, "authority-1")] as const;
    for (const directory of sources) await makeCertificates({ directory, hosts: [] });
    const directory = join(scratch, "certificates");
    mkdirSync(directory, { recursive: true });
    const files = new CertificateFiles(directory, sources);
    files.#trust(sources[0]);
    files.#use(sources[0]);
    return files;
  }

  get caFile(): string {
    return join(this.directory, "ca.pem");
  }

  /**
   * Another authority in place of this one, and other certificates of it for all: first both are trusted,
   * then the new certificates are used, then the new authority alone is trusted.
   */
  async replaceAll(): Promise<void> {
    const old = this.#sources[this.#current % 2] ?? "";
    this.#current += 1;
    const fresh = this.#sources[this.#current % 2] ?? "";
    this.#trust(old, fresh);
    await sleep(noticedMs);
    this.#use(fresh);
    await sleep(noticedMs);
    this.#trust(fresh);
  }

  #trust(...authorities: readonly string[]): void {
    this.#put("ca.pem", authorities.map((one) => readFileSync(join(one, "ca.pem"), "utf8")).join("\n"));
  }

  #use(source: string): void {
    for (const role of ["peer", "server", "client"]) {
      for (const file of [`${role}-key.pem`, `${role}.pem`]) {
        this.#put(file, readFileSync(join(source, file), "utf8"));
      }
    }
  }

  /** At one blow, as the tools do that renew certificates. */
  #put(name: string, content: string): void {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, content, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
