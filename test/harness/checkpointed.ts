/** Containers that are checkpointed and restored. test/helpers-c/witness.c runs in them and reports. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';
import { addCHelper } from './c-helper.ts';
import type { Criu } from './criu.ts';
import { type Result, type RunOptions, waitFor } from './process.ts';
import type { Sandbox } from './sandbox.ts';
import type { Spec } from './spec.ts';

/** What the program counts. All but `intact` grow while it runs. */
export interface Witness {
  count: number;
  thread: number;
  timer: number;
  child: number;
  offset: number;
  echoed: number;
  /** With `memory`: pages of its block whose contents are unchanged. */
  intact: number;
}

/** The number of pages (4 KiB) of that block, and how many of them it keeps changing. */
export const block = { pages: 4096, changing: 256 } as const;

/** The counters that grow in every witness. */
export const counters = ['count', 'thread', 'timer', 'child', 'offset'] as const;

export class Checkpoints {
  /** Has CRIU on the PATH. */
  readonly env: Record<string, string>;
  readonly box: Sandbox;

  constructor(box: Sandbox, criu: Criu) {
    this.box = box;
    this.env = { ...(process.env as Record<string, string>), PATH: criu.path };
  }

  /** Directory for images. */
  images(name = 'images'): string {
    return join(this.box.directory, name);
  }

  /** A bundle whose program is the witness. */
  bundle(edit?: (spec: Spec) => void, args: string[] = []): Bundle {
    const bundle = this.box.bundle((spec) => {
      spec.process.args = ['/bin/witness', ...args];
      edit?.(spec);
    });
    addCHelper(bundle, 'witness');
    return bundle;
  }

  /** Another bundle directory and cgroup, with a copy of the root filesystem, and a config that may differ. */
  moved(bundle: Bundle, edit?: (spec: Spec) => void): Bundle {
    const copy = this.box.bundle((spec) => {
      const { cgroupsPath } = spec.linux;
      Object.assign(spec, structuredClone(bundle.spec));
      spec.linux.cgroupsPath = cgroupsPath ?? '';
      edit?.(spec);
    });
    rmSync(copy.rootfs, { recursive: true });
    execFileSync('cp', ['-a', bundle.rootfs, copy.rootfs]);
    return copy;
  }

  /** Starts a container, and waits until its program has begun to count. */
  async start(bundle: Bundle, flags: string[] = []): Promise<string> {
    const id = await this.create(bundle, flags);
    await this.box.runtimeOk(['start', id]);
    await this.goesOn(bundle);
    return id;
  }

  /** As engines do it: stdin is not a socket, which is what Node's pipes are. */
  async create(bundle: Bundle, flags: string[] = []): Promise<string> {
    const id = this.box.newId();
    const outputFiles = join(this.box.directory, id);
    await this.box.runtimeOk(['create', ...flags, '--bundle', bundle.directory, id], { outputFiles });
    return id;
  }

  /** Runs the runtime, with CRIU on its PATH. */
  runtime(args: string[], options: RunOptions = {}): Promise<Result> {
    return this.box.runtime(args, { env: this.env, ...options });
  }

  async #ok(args: string[], options: RunOptions = {}): Promise<Result> {
    const result = await this.runtime(args, options);
    if (result.code === 0) return result;
    throw new Error(`${args.join(' ')} ended with ${result.code ?? result.signal}: ${result.stderr}`);
  }

  checkpoint(id: string, flags: string[] = [], images = this.images()): Promise<Result> {
    return this.#ok(['checkpoint', '--network-lock', 'skip', '--image-path', images, ...flags, id]);
  }

  /** Restores to a container with a new name, detached. */
  async restore(bundle: Bundle, flags: string[] = [], images = this.images()): Promise<string> {
    const id = this.box.newId();
    const where = ['--image-path', images, '--bundle', bundle.directory];
    const outputFiles = join(this.box.directory, id);
    await this.#ok(['restore', '--network-lock', 'skip', '--detach', ...where, ...flags, id], {
      outputFiles,
    });
    return id;
  }

  /** Waits until all of the witness's counters have grown, and returns them. */
  async goesOn(bundle: Bundle, than?: Witness): Promise<Witness> {
    return waitFor('the witness to go on', () => {
      const now = witness(bundle);
      const grown = now !== undefined && counters.every((name) => now[name] > (than?.[name] ?? 1));
      return grown ? now : undefined;
    });
  }
}

/** The witness's latest report. */
export function witness({ rootfs }: Bundle): Witness | undefined {
  try {
    return JSON.parse(readFileSync(join(rootfs, 'status'), 'utf8'));
  } catch {
    return undefined;
  }
}
