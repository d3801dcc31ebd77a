/** An ordinary user of the machine, with a bundle of its own, for tests of what needs no root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, type RunOptions, run } from './process.ts';
import { busyboxRootfs } from './rootfs.ts';
import { runtimePath } from './runtime.ts';
import type { Sandbox } from './sandbox.ts';
import type { Spec } from './spec.ts';

/** nobody, who has a passwd entry on every machine, and no rights. */
export const ordinaryId = 65534;
const asUser = ['--reuid', String(ordinaryId), '--regid', String(ordinaryId), '--clear-groups'];

/** For `skip`: a checkout below a directory of root's own is of no use to anybody else. */
export function unreachable(): string | false {
  try {
    execFileSync('setpriv', [...asUser, 'test', '-x', runtimePath]);
    return false;
  } catch {
    return 'needs a checkout that everybody can reach';
  }
}

/** The ordinary user with a bundle of its own. */
export class OrdinaryUser {
  readonly bundle: string;
  readonly root: string;
  readonly id: string;
  private commands = 0;
  private readonly box: Sandbox;
  private readonly options: { subordinate?: boolean; path?: string };

  /** @param options `subordinate`: with IDs 200000 to 200999 in subuid(5); `path`: PATH of the commands */
  constructor(box: Sandbox, options: { subordinate?: boolean; path?: string } = {}) {
    this.box = box;
    this.options = options;
    this.root = box.root;
    this.id = box.newId();
    this.bundle = join(box.directory, 'bundle');
    mkdirSync(this.bundle);
    busyboxRootfs(join(this.bundle, 'rootfs'));
    chmodSync(box.directory, 0o711);
    chownSync(box.root, ordinaryId, ordinaryId);
    execFileSync('chown', ['-R', `${ordinaryId}:${ordinaryId}`, this.bundle]);
    writeFileSync(join(box.directory, 'subordinate'), 'nobody:200000:1000\n');
  }

  /** The config of spec --rootless, without a terminal and with a writable root, after an edit. */
  write(edit: (spec: Spec) => void): void {
    execFileSync('rm', ['-f', join(this.bundle, 'config.json')]);
    execFileSync('setpriv', [...asUser, runtimePath, 'spec', '--rootless', '--bundle', this.bundle]);
    this.edit((spec) => {
      spec.process.terminal = false;
      spec.root.readonly = false;
      spec.process.args = ['/bin/true'];
      edit(spec);
    });
  }

  edit(change: (spec: Spec) => void): void {
    const path = join(this.bundle, 'config.json');
    const spec: Spec = JSON.parse(readFileSync(path, 'utf8'));
    change(spec);
    writeFileSync(path, JSON.stringify(spec));
  }

  run(args: string[]): Promise<Result> {
    const { subordinate, path = process.env.PATH ?? '' } = this.options;
    const command = ['setpriv', ...asUser, 'env', `PATH=${path}`, runtimePath, '--root', this.root, ...args];
    // `create` hands its output on to the container.
    const options: RunOptions = {
      cwd: this.bundle,
      outputFiles: join(this.box.directory, `output-${++this.commands}`),
    };
    if (subordinate !== true) return run('/usr/bin/env', command, options);
    // subuid(5) and subgid(5) of this test only: nobody else sees this mount namespace.
    const script = 'mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid && exec "$@"';
    const file = join(this.box.directory, 'subordinate');
    return run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, file, ...command], options);
  }

  async ok(args: string[]): Promise<Result> {
    const result = await this.run(args);
    if (result.code === 0) return result;
    throw new Error(`${args.join(' ')} ended with ${result.code ?? result.signal}: ${result.stderr || result.stdout}`);
  }
}
