/** A bundle on disk: a busybox root filesystem and the default config, to be changed. */
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxRootfs } from './rootfs.ts';
import { defaultSpec, type Spec } from './spec.ts';

export class Bundle {
  readonly directory: string;
  readonly rootfs: string;
  readonly spec: Spec = defaultSpec();

  /** Makes the directory with rootfs/ and config.json. */
  constructor(directory: string) {
    this.directory = directory;
    this.rootfs = join(directory, 'rootfs');
    mkdirSync(directory, { recursive: true });
    busyboxRootfs(this.rootfs);
    this.write();
  }

  get configPath(): string {
    return join(this.directory, 'config.json');
  }

  /** Changes the config and writes it. */
  edit(change: (spec: Spec) => void): this {
    change(this.spec);
    this.write();
    return this;
  }

  /** Writes config.json as this text, for configs that no Spec can express. */
  writeRaw(config: string | Buffer): void {
    writeFileSync(this.configPath, config);
  }

  /** Puts a file into the root filesystem, and makes the directories above it. */
  addFile(path: string, content: string, mode = 0o644): void {
    const full = join(this.rootfs, path);
    mkdirSync(join(full, '..'), { recursive: true });
    writeFileSync(full, content, { mode });
  }

  /** Whether the root filesystem has this file, seen from outside. */
  has(path: string): boolean {
    return lstatSync(join(this.rootfs, path), { throwIfNoEntry: false }) !== undefined;
  }

  private write(): void {
    this.writeRaw(`${JSON.stringify(this.spec, null, 2)}\n`);
  }
}
