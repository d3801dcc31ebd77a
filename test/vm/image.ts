import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { exitOf, spawnConfined } from './confine.ts';
import { cacheDir, checkout } from './paths.ts';
import { type Tier, VmError } from './tier.ts';

/** A package set: base, or the name of a file in image/packages whose packages are added to base. */
export type PackageSet = string;

export interface Image {
  /** Directory tree with linux.uml, qemu and the kernel; used by chroot. */
  readonly tools: string;
  /** Directory with root.ext4; for the aarch64 tier also with the kernel and its initrd. */
  readonly root: string;
  /** Directory with the qemu machine at the moment when a job can start. */
  readonly snapshot: string;
}

/** Debian's stable and its next release, which have different versions of the engines. */
export type Suite = 'trixie' | 'forky';

export const suites: readonly Suite[] = ['trixie', 'forky'];

const vmDir = path.join(checkout, 'test/vm');

/** The directories of a package set's image, which may not exist yet. Their names contain a hash of all inputs. */
export function locateImage(set: PackageSet, tier: Tier): Image {
  return tier === 'aarch64' ? locateAarch64() : locateNative(set);
}

function locateNative(set: PackageSet): Image {
  const lists = [...new Set(['image/packages/base.txt', `image/packages/${set}.txt`])];
  const common = filesBelow('image').filter((file) => !file.startsWith('image/packages/'));
  const tools = hashFiles(['image/build.sh', 'image/initrd-init', 'image/packages/tools.txt']);
  const root = hashFiles([...common, ...lists], tools);
  const snapshot = hashFiles(['qemu.sh', 'snapshot.sh'], root);
  return {
    tools: path.join(cacheDir, `tools-${tools}`),
    root: path.join(cacheDir, `${set}-${root}`),
    snapshot: path.join(cacheDir, `${set}-snapshot-${snapshot}`),
  };
}

/** Debian's packages for this architecture cannot be configured here, so it has one set of its own. */
function locateAarch64(): Image {
  const tools = hashFiles(['image/build.sh', 'image/packages/aarch64-tools.txt']);
  const ours = ['aarch64/init', 'image/initrd-init', 'image/files/usr/lib/tsrun-vm/job'];
  const root = hashFiles(['image/build.sh', 'image/packages/aarch64.txt', ...ours]);
  return {
    tools: path.join(cacheDir, `tools-aarch64-${tools}`),
    root: path.join(cacheDir, `aarch64-${root}`),
    snapshot: '',
  };
}

function partsFor(tier: Tier): (keyof Image)[] {
  return tier === 'qemu' ? ['tools', 'root', 'snapshot'] : ['tools', 'root'];
}

export function isBuilt(image: Image, tier: Tier): boolean {
  return partsFor(tier).every((part) => existsSync(image[part]));
}

/**
 * Builds the missing parts of an image, which takes a minute or two the first time, and reports that on stderr.
 *
 * Throws VmError if a build fails; a later call tries again.
 */
export async function ensureImage(set: PackageSet, tier: Tier): Promise<Image> {
  if (!existsSync(path.join(vmDir, 'image/packages', `${set}.txt`))) throw new VmError(`no package set ${set}`);
  if (tier === 'aarch64' && set !== 'base') throw new VmError(`the aarch64 VM has no packages of the set ${set}`);
  const image = locateImage(set, tier);
  if (!isBuilt(image, tier)) {
    await installBuilder();
    for (const step of stepsFor(set, tier, image)) await build(step);
  }
  for (const part of partsFor(tier)) renew(image[part]);
  return image;
}

/** The arguments of build.sh for each step. */
function stepsFor(set: PackageSet, tier: Tier, { tools, root, snapshot }: Image): string[][] {
  if (tier === 'aarch64') {
    return [
      ['ensure-aarch64-tools', tools],
      ['ensure-aarch64-root', tools, root],
    ];
  }
  const native = [
    ['ensure-tools', tools],
    ['ensure-root', set, tools, root],
  ];
  return tier === 'qemu' ? [...native, ['ensure-snapshot', tools, root, snapshot]] : native;
}

/** The directory of a suite's tree with only the packages of a set, which may not exist yet. */
export function locateTree(suite: Suite, set: PackageSet): string {
  const key = hashFiles(['image/build.sh', 'image/add-user.sh', `image/packages/${set}.txt`]);
  return path.join(cacheDir, `tree-${suite}-${set}-${key}`);
}

/**
 * Builds the root tree of a Debian system if it is missing, which takes a minute, and reports that on stderr. Only for
 * reading, because others use it, too.
 *
 * Throws VmError if the build fails; a later call tries again.
 */
export async function ensureTree(suite: Suite, set: PackageSet): Promise<string> {
  const tree = locateTree(suite, set);
  if (!existsSync(tree)) {
    await installBuilder();
    await build(['ensure-tree', suite, set, tree]);
  }
  renew(tree);
  return tree;
}

/** build.sh removes directories that were not used for a week. */
function renew(directory: string): void {
  const now = new Date();
  utimesSync(directory, now, now);
}

async function installBuilder(): Promise<void> {
  if (!(await succeeds('bash', 'scripts/setup.sh', 'vm')))
    throw new VmError('what builds the image cannot be installed; see above');
}

/**
 * Steps of launch.sh that put tsrun's native parts for the aarch64 VM into the checkout; compiles what is not up to
 * date.
 */
export async function buildForAarch64(): Promise<string[]> {
  const built =
    (await succeeds('bash', 'scripts/setup.sh', 'build', 'aarch64')) &&
    (await succeeds('node', 'scripts/build.mjs', 'aarch64'));
  if (!built) throw new VmError('tsrun cannot be compiled for aarch64; see above');
  const build = path.join(checkout, 'build');
  return ['Release', 'standalone'].map((part) => `over:${build}/aarch64/${part}:${build}/${part}`);
}

/** Other tests of the same process go on meanwhile. */
async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  return (await exitOf(spawn(program, args, { cwd: checkout, stdio: ['ignore', 2, 2] }))) === 0;
}

/** Milliseconds for one step, including the wait for another process that builds. */
const buildTime = 50 * 60 * 1000;
/** How often a step is tried: a mirror may be unreachable for a moment. */
const attempts = 3;
/** The result of exitOf also for our own SIGKILL. */
const bySignal = 128;

async function build(args: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (existsSync(args.at(-1) ?? '')) return;
    const code = await buildOnce(args);
    if (code === 0) return;
    if (attempt === attempts || code === bySignal)
      throw new VmError(`the image build failed (${args.join(' ')}); its output is above`);
    console.error(`vm: the image build ended with ${code}, trying it again`);
  }
}

async function buildOnce(args: readonly string[]): Promise<number> {
  const builder = spawnConfined(
    ['nice', '-n', '10', 'bash', path.join(vmDir, 'image/build.sh'), ...args],
    ['ignore', 2, 2],
  );
  const timer = setTimeout(() => builder.kill('SIGKILL'), buildTime);
  return await exitOf(builder).finally(() => clearTimeout(timer));
}

/** The files below a directory, relative to vmDir. */
function filesBelow(dir: string): string[] {
  const entries = readdirSync(path.join(vmDir, dir), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(vmDir, path.join(entry.parentPath, entry.name)));
}

function hashFiles(files: readonly string[], salt = ''): string {
  const hash = createHash('sha256').update(salt);
  for (const file of [...files].sort()) hash.update(`${file}\0`).update(readFileSync(path.join(vmDir, file)));
  return hash.digest('hex').slice(0, 16);
}
