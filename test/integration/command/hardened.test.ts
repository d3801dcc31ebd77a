/**
 * How the executables are linked: what is at fixed addresses, writable or executable for an attacker who can write
 * somewhere in them.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, run, sandbox } from '../../harness/index.ts';

const needs = { runtime: 'tsrun', commands: ['readelf'] };
const skip = requires(needs);
const skipRoot = requires({ ...needs, root: true, capabilities: ['CAP_SYS_PTRACE'] });

const files = {
  standalone: 'build/standalone/tsrun',
  init: 'build/Release/tsrun-init',
  launcher: 'build/Release/tsrun',
  addon: 'build/Release/tsrun.node',
};

async function readelf(file: string): Promise<string> {
  return (await run('readelf', ['--file-header', '--segments', '--dynamic', '--notes', '--wide', join(repoRoot, file)]))
    .stdout;
}

for (const [name, file] of Object.entries(files)) {
  t.test(`${name}: no memory is both writable and executable, and relocated data is read-only`, { skip }, async (t) => {
    const text = await readelf(file);
    t.match(text, /^ *GNU_STACK .* RW +0x/m);
    t.match(text, /^ *GNU_RELRO /m);
    t.notMatch(text, /^ *\S+ +0x.* RWE +0x/m);
    t.notMatch(text, /TEXTREL/);
    // In a static executable nothing is bound later.
    if (/^ *INTERP /m.test(text) || name === 'addon') t.match(text, /FLAGS.*BIND_NOW|FLAGS_1.*NOW/);
  });
}

t.test('init and the launcher have no fixed address', { skip }, async (t) => {
  for (const file of [files.init, files.launcher]) {
    const text = await readelf(file);
    t.match(text, /Type: +DYN/, file);
    t.notMatch(text, /^ *INTERP /m, file);
  }
});

t.test('init is built for control-flow enforcement', { skip: skip || process.arch !== 'x64' }, async (t) => {
  t.match(await readelf(files.init), /x86 feature: IBT, SHSTK/);
});

/** The wanted mappings of a process, as [start, size]. */
function mappings(pid: number, isWanted: (line: string) => boolean): [start: bigint, size: bigint][] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').filter(isWanted);
  return lines.map((line) => {
    const [start = 0n, end = 0n] = (line.split(' ')[0] ?? '').split('-').map((hex) => BigInt(`0x${hex}`));
    return [start, end - start];
  });
}

function memory(pid: number, start: bigint, size: number): Buffer {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  const bytes = Buffer.alloc(size);
  readSync(fd, bytes, 0, size, start);
  closeSync(fd);
  return bytes;
}

/** AT_RANDOM of getauxval(3): 16 bytes that the kernel has chosen. */
function randomBytes(pid: number): Buffer {
  const auxv = readFileSync(`/proc/${pid}/auxv`);
  for (let at = 0; at < auxv.length; at += 16) {
    if (auxv.readBigUInt64LE(at) === 25n) return memory(pid, auxv.readBigUInt64LE(at + 8), 16);
  }
  return Buffer.alloc(0);
}

t.test('each init has another address, and another secret on its stack', { skip: skipRoot }, async (t) => {
  const box = sandbox(t);
  const places = new Set<bigint>();
  for (let i = 0; i < 3; i++) {
    const { pid } = await box.state(await box.create(box.bundle()));
    places.add(mappings(pid, (line) => line.includes('tsrun-init'))[0]?.[0] ?? 0n);
    const secret = randomBytes(pid).subarray(0, 8);
    secret[0] = 0;
    t.not(secret.readBigUInt64LE(0), 0n);
    const holds = ([start, size]: [bigint, bigint]) => memory(pid, start, Number(size)).includes(secret);
    t.ok(mappings(pid, (line) => / rw-p .* 0 *$/.test(line)).some(holds), 'in its variables');
    t.ok(mappings(pid, (line) => line.includes('[stack]')).some(holds), 'in the frames of its functions');
  }
  t.equal(places.size, 3);
});
