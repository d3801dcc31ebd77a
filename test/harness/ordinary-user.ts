/** An ordinary user of the machine, with a bundle of its own, for tests that need no root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, run, waitFor } from './process.ts';
import { reachableRuntime } from './reachable.ts';
import { busyboxRootfs } from './rootfs.ts';
import type { Sandbox } from './sandbox.ts';
import type { Spec } from './spec.ts';

/** The user nobody, who has a passwd entry on every machine and no rights. */
export const ordinaryId = 65534;
const asUser = ['--reuid', String(ordinaryId), '--regid', String(ordinaryId), '--clear-groups'];

export interface UserOptions {
  /** Has the IDs 200000 to 200999 in subuid(5) and subgid(5). */
  subordinate?: boolean;
  /** PATH of the commands. */
  path?: string;
  /** Arguments of unshare(1) for namespaces that all commands of the user run in; see enter(). */
  namespaces?: string[];
  /** Value of hidepid (proc(5)) with which each command's /proc is mounted. */
  hidepid?: string;
  /** Absolute path of the commands' cgroup. */
  cgroup?: string;
}

/** The ordinary user with a bundle of its own. */
export class OrdinaryUser {
  readonly bundle: string;
  readonly root: string;
  readonly id: string;
  /** The runtime, where this user can reach it. */
  readonly runtime: string;
  private commands = 0;
  private readonly box: Sandbox;
  private readonly options: UserOptions;
  /** The command that enters the user's namespaces. */
  private prefix: string[] = [];

  constructor(box: Sandbox, options: UserOptions = {}) {
    this.box = box;
    this.options = options;
    this.root = box.root;
    this.id = box.newId();
    this.bundle = join(box.directory, 'bundle');
    mkdirSync(this.bundle);
    busyboxRootfs(join(this.bundle, 'rootfs'));
    chmodSync(box.directory, 0o711);
    this.runtime = reachableRuntime(box.directory);
    chownSync(box.root, ordinaryId, ordinaryId);
    execFileSync('chown', ['-R', `${ordinaryId}:${ordinaryId}`, this.bundle]);
    writeFileSync(join(box.directory, 'subordinate'), 'nobody:200000:1000\n');
  }

  /** Makes the user and the namespaces of the options; one process holds these until the test ends. */
  static async enter(box: Sandbox, options: UserOptions): Promise<OrdinaryUser> {
    const user = new OrdinaryUser(box, options);
    const { namespaces } = options;
    if (namespaces === undefined) return user;
    const [program = '', ...args] = user.command(['unshare', ...namespaces, 'sleep', '1000']);
    const { pid } = box.startProgram(program, args);
    await waitFor('the namespaces', () => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n' || undefined);
    const types = namespaces.filter((name) => ['--user', '--mount'].includes(name));
    user.prefix = ['nsenter', '--target', String(pid), '--preserve-credentials', ...types];
    return user;
  }

  /** Writes the config of spec --rootless, edited, without a terminal and with a writable root. */
  write(edit: (spec: Spec) => void): void {
    this.writeSpec();
    this.edit((spec) => {
      spec.process.terminal = false;
      spec.root.readonly = false;
      spec.process.args = ['/bin/true'];
      edit(spec);
    });
  }

  /** Writes the config of spec --rootless as it is. */
  writeSpec(): void {
    execFileSync('rm', ['-f', join(this.bundle, 'config.json')]);
    const [program = '', ...args] = this.command([this.runtime, 'spec', '--rootless', '--bundle', this.bundle]);
    execFileSync(program, args);
  }

  edit(change: (spec: Spec) => void): void {
    const path = join(this.bundle, 'config.json');
    const spec: Spec = JSON.parse(readFileSync(path, 'utf8'));
    change(spec);
    writeFileSync(path, JSON.stringify(spec));
  }

  run(args: string[]): Promise<Result> {
    const [program = '', ...rest] = this.command([this.runtime, '--root', this.root, ...args]);
    // `create` passes its output on to the container.
    const outputFiles = join(this.box.directory, `output-${++this.commands}`);
    return run(program, rest, { outputFiles });
  }

  /** The same in a terminal in which `input` is typed; stdout has what the terminal shows. */
  runInTerminal(args: string[], input: string): Promise<Result> {
    const words = [this.runtime, '--root', this.root, ...args].join(' ');
    // script(1) would use the user's shell, and nobody has none. It can wait for ever after the end of its input, so
    // that is a FIFO which it has also open for writing.
    const fifo = 'mkfifo "$1" && exec 3<>"$1" && printf %s "$2" >&3 && rm "$1"';
    const script = `${fifo} && SHELL=/bin/sh exec script -qec "$3" /dev/null <&3 3>&-`;
    const place = join(this.bundle, 'input');
    const [program = '', ...rest] = this.command(['sh', '-c', script, 'terminal', place, input, words]);
    return run(program, rest);
  }

  async ok(args: string[]): Promise<Result> {
    const result = await this.run(args);
    if (result.code === 0) return result;
    throw new Error(`${args.join(' ')} ended with ${result.code ?? result.signal}: ${result.stderr || result.stdout}`);
  }

  /** The command by which root runs `words` as the user. */
  private command(words: string[]): string[] {
    const { subordinate, path = process.env.PATH ?? '', cgroup, hidepid } = this.options;
    const command = ['setpriv', ...asUser, ...this.prefix, 'env', '--chdir', this.bundle, `PATH=${path}`, ...words];
    if (cgroup !== undefined) {
      command.unshift('sh', '-c', 'echo $$ >"$0"/cgroup.procs && exec "$@"', cgroup);
    }
    if (hidepid !== undefined) {
      // A mount of its own: a remount would change everybody's.
      const hide = 'mount -t proc -o "hidepid=$0" proc /proc && exec "$@"';
      command.unshift('unshare', '--mount', '--propagation', 'private', 'sh', '-c', hide, hidepid);
    }
    if (subordinate !== true) return command;
    // Only this test sees these subuid(5) and subgid(5): the mount namespace is its own.
    const script = 'mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid && exec "$@"';
    const file = join(this.box.directory, 'subordinate');
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, file, ...command];
  }
}
