/** A bare Linux system to try the executable in: a Debian suite's C library and busybox, or only busybox. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Result, repoRoot, run, type Sandbox } from '../harness/index.ts';
import { cacheDir } from '../vm/paths.ts';

/** `none` has no C library; `bullseye` an older one than tsrun is built with. */
export const plainSuites = ['none', 'bullseye', 'bookworm', 'trixie', 'forky'] as const;
export type PlainSuite = (typeof plainSuites)[number];
/** `forky-node` is forky with its nodejs. */
type TreeName = PlainSuite | 'forky-node';

const here = join(repoRoot, 'test/install');

/** Increase this when plain-tree.sh makes another tree. */
const edition = 1;

/** Unpacks the tree if it is missing, which takes some seconds. */
function ensurePlainTree(suite: TreeName): string {
  // Installs the programs that unpack it.
  const setup = spawnSync('bash', [join(repoRoot, 'scripts/setup.sh'), 'vm'], { encoding: 'utf8' });
  if (setup.status !== 0) throw new Error(setup.stderr);
  const out = join(cacheDir, `plain-${suite}-${edition}`);
  const builder = spawnSync('bash', [join(here, 'plain-tree.sh'), suite, out], { encoding: 'utf8' });
  if (builder.status !== 0) throw new Error(`plain-tree.sh ${suite}: ${builder.stderr}`);
  return out;
}

export class PlainTree {
  readonly #box: Sandbox;
  readonly #tree: string;
  readonly #prepare: string;

  /** @param prepare shell script that installs what is tried; runs on the host, in the tree's root */
  constructor(box: Sandbox, suite: TreeName, prepare: string) {
    this.#box = box;
    this.#tree = ensurePlainTree(suite);
    this.#prepare = prepare;
  }

  /** Runs a command in the tree. The sandbox's directory has its own path there; everything else is new each time. */
  run(...command: string[]): Promise<Result> {
    const script = join(here, 'enter-plain.sh');
    const place = [this.#tree, this.#box.directory, this.#prepare];
    return run('unshare', ['--mount', '--propagation', 'private', script, ...place, ...command]);
  }
}
