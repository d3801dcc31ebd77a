import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { exitOf, spawnConfined } from './confine.ts';
import { cacheDir, checkout } from './paths.ts';

/** A package set: base, or the name of a file in image/packages whose packages come on top of base. */
export type PackageSet = string;

export interface Image {
  /** Directory tree with linux.uml, qemu and the kernel; used by chroot. */
  readonly tools: string;
  /** Directory with root.ext4. */
  readonly root: string;
}

const imageDir = path.join(checkout, 'test/vm/image');

/** Where the image of a package set is or will be. Its name has a hash of everything in image/ that goes into it. */
export function locateImage(set: PackageSet): Image {
  const lists = new Set(['base.txt', `${set}.txt`]);
  const common = listFiles(imageDir).filter((file) => !file.startsWith('packages/'));
  const packages = [...lists].map((list) => `packages/${list}`);
  const toolsKey = hashFiles(['build.sh', 'packages/tools.txt'], '');
  return {
    tools: path.join(cacheDir, `tools-${toolsKey}`),
    root: path.join(cacheDir, `${set}-${hashFiles([...common, ...packages], toolsKey)}`),
  };
}

export function isBuilt(image: Image): boolean {
  return existsSync(image.tools) && existsSync(image.root);
}

/**
 * Builds what is missing of an image, a minute or two the first time, and says so on stderr.
 *
 * Throws when a build fails; a later call tries again.
 */
export async function ensureImage(set: PackageSet): Promise<Image> {
  if (!existsSync(path.join(imageDir, 'packages', `${set}.txt`))) throw new Error(`no package set ${set}`);
  const image = locateImage(set);
  if (!isBuilt(image)) {
    execFileSync('bash', [path.join(checkout, 'scripts/setup.sh'), 'vm'], { stdio: ['ignore', 2, 2] });
    await build(['ensure-tools', image.tools]);
    await build(['ensure-root', set, image.tools, image.root]);
  }
  markUsed(image);
  return image;
}

async function build(args: readonly string[]): Promise<void> {
  const builder = ['nice', '-n', '10', 'bash', path.join(imageDir, 'build.sh'), ...args];
  const code = await exitOf(spawnConfined(builder, ['ignore', 2, 2]));
  if (code !== 0) throw new Error(`the image build failed (${args.join(' ')}); its output is above`);
}

/** build.sh removes directories that have not been used for a week. */
function markUsed(image: Image): void {
  const now = new Date();
  for (const dir of [image.tools, image.root]) utimesSync(dir, now, now);
}

function listFiles(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
}

function hashFiles(files: readonly string[], salt: string): string {
  const hash = createHash('sha256').update(salt);
  for (const file of [...files].sort()) hash.update(`${file}\0`).update(readFileSync(path.join(imageDir, file)));
  return hash.digest('hex').slice(0, 16);
}
