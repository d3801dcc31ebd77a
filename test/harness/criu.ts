/** CRIU for the tests: the machine's own, or that of a tree of Debian forky, because Debian 12's is too old. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTree } from '../vm/image.ts';
import { hasCommand, isInVm } from './host.ts';
import { requires } from './requires.ts';

/** Programs of the tree that CRIU starts by name. */
const programs = ['criu', 'ip', 'nft', 'iptables-save', 'iptables-restore', 'ip6tables-save', 'ip6tables-restore'];

export interface Criu {
  /** For `skip`: false, or why CRIU works neither from this machine nor from a tree. */
  readonly skip: string | false;
  /** A PATH that finds this CRIU first. */
  readonly path: string;
}

/** For `skip`: false, or that the kernel lacks a feature (`criu check --feature`). */
export function lacksFeature({ skip, path }: Criu, feature: string): string | false {
  if (skip) return skip;
  const { status } = spawnSync('criu', ['check', '--feature', feature], { env: { ...process.env, PATH: path } });
  return status === 0 ? false : `needs a kernel with what criu calls ${feature}`;
}

/** Builds the tree if it is needed, which takes a minute the first time. */
export async function criuForTests(): Promise<Criu> {
  const usual = process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin';
  const skip = requires({ root: true, cgroup2: true, cHelpers: true });
  if (skip) return { skip, path: usual };
  const own = hasCommand('criu') ? works('criu', usual) : undefined;
  if (own?.skip === false) return own;
  // The VM has no network, and its image the newest CRIU: only another kernel helps.
  const cannotBuild = isInVm || process.arch !== 'x64' || !hasCommand('apt-get');
  if (cannotBuild) return own ?? { skip: 'needs the command criu', path: usual };
  const bin = await programsOfTree();
  return works(join(bin, 'criu'), `${bin}:${usual}`);
}

function works(criu: string, path: string): Criu {
  const { status } = spawnSync(criu, ['check'], { env: { ...process.env, PATH: path } });
  return { skip: status === 0 ? false : 'needs a kernel that criu works on', path };
}

/** Makes a directory, until the end of this process, with scripts that start the tree's programs with its C library. */
async function programsOfTree(): Promise<string> {
  // The tree of the engines, because it is there for other tests.
  const tree = await ensureTree('forky', 'engines');
  const bin = mkdtempSync(join(tmpdir(), 'tsrun-criu-'));
  process.once('exit', () => rmSync(bin, { recursive: true, force: true }));
  for (const name of programs) {
    writeFileSync(join(bin, name), scriptFor(tree, name), { mode: 0o755 });
  }
  chmodSync(bin, 0o755);
  return bin;
}

function scriptFor(tree: string, name: string): string {
  const find = `readlink -f "$(command -v ${name})"`;
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const program = execFileSync('chroot', [tree, 'sh', '-c', find], { encoding: 'utf8', env }).trim();
  const libraries = join(tree, 'usr/lib/x86_64-linux-gnu');
  const loader = `${tree}/usr/lib64/ld-linux-x86-64.so.2 --argv0 ${name} --library-path ${libraries}`;
  return `#!/bin/sh\nXTABLES_LIBDIR=${libraries}/xtables exec ${loader} ${tree}${program} "$@"\n`;
}
