/** C programs for what busybox cannot do: test/helpers-c/NAME.c, compiled statically when first used. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';
import { hasCommand, repoRoot } from './host.ts';

/** Their directory if another machine has compiled them (scripts/lib/helpers-c.mjs). */
const compiledElsewhere = process.env.TSRUN_TEST_HELPERS ?? join(repoRoot, 'build/Release/helpers-c');

export function hasCHelpers(): boolean {
  return existsSync(compiledElsewhere) || hasCommand('gcc');
}

/** Path of the compiled program on the host. */
export function cHelper(name: string): string {
  if (existsSync(compiledElsewhere)) return join(compiledElsewhere, name);
  const source = join(repoRoot, 'test/helpers-c', `${name}.c`);
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const compiled = join(tmpdir(), `tsrun-test-${name}-${process.getuid?.()}-${hash}`);
  if (existsSync(compiled)) return compiled;
  const draft = mkdtempSync(`${compiled}.`);
  const program = join(draft, name);
  execFileSync('gcc', ['-static', '-O1', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  renameSync(program, compiled);
  rmSync(draft, { recursive: true });
  return compiled;
}

/** Puts the program into the root filesystem, as /bin/NAME. */
export function addCHelper(bundle: Bundle, name: string): void {
  copyFileSync(cHelper(name), join(bundle.rootfs, 'bin', name));
}
