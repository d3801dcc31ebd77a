/**
 * A container compared with virtual machines with the same busybox as their whole system: the time from the start of
 * the command to the first output of the first process, and the memory of all that stays. There is no KVM here, so qemu
 * emulates; user-mode Linux is a kernel as a process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadVmLibrary } from '../../scripts/lib/vm.mjs';
import { memoryOf } from './memory.mjs';
import { align, medianOf } from './report.mjs';

/** Milliseconds in which even the slowest must start. */
const patience = 60_000;
const greeting = 'started';
const program = `echo ${greeting}; exec sleep 100000`;
const kernelWords =
  'quiet panic=-1 console=ttyS0 mitigations=off random.trust_cpu=on cryptomgr.notests no_timer_check tsc=reliable nokaslr';

/** @returns {Promise<string>} a table for people */
export async function machines({ runtime, bundles, work, rounds }) {
  const contestants = { container: container(runtime, bundles), ...(await virtualMachines(work, bundles.rootfs)) };
  const samples = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, start] of Object.entries(contestants)) samples[name].push(await measure(start(round)));
  }
  const median = (name, field) => medianOf(samples[name].map((sample) => sample[field]));
  return align([
    ['', 'to first process, ms', 'memory, MiB'],
    ...Object.keys(contestants).map((name) => [
      name,
      median(name, 'milliseconds').toFixed(1),
      (median(name, 'memory') / 1024).toFixed(1),
    ]),
  ]);
}

function container(runtime, bundles) {
  return (round) => {
    const id = `machine-${round}`;
    const bundle = bundles.make('machine', id, ['/bin/sh', '-c', program]);
    return { command: [...runtime, 'run', '--bundle', bundle, id], stop: [...runtime, 'delete', '--force', id] };
  };
}

/**
 * Commands that start a virtual machine of each kind. They run in a chroot, because they need a newer C library, and
 * end with us in any case.
 */
async function virtualMachines(work, rootfs) {
  const { ensureImage } = await loadVmLibrary();
  const { tools } = await ensureImage('base', 'uml');
  enterable(tools);
  makeInitrd(path.join(tools, 'job/initrd'), work, rootfs);
  // MiB; with 64, Debian's kernel does not reach its first process.
  const memory = 128;
  const qemu = ['-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-m', String(memory), '-nodefaults', '-no-user-config'];
  const boot = ['-kernel', '/boot/vmlinuz', '-initrd', '/job/initrd', '-append', kernelWords];
  const uml = [`mem=${memory}M`, 'uml_dir=/job/', 'initrd=/job/initrd', 'con=null', 'con0=fd:0,fd:1', 'quiet'];
  const inTools = (...command) => ({
    command: ['setpriv', '--pdeathsig', 'KILL', 'chroot', tools, ...command],
    env: { TMPDIR: '/job' },
  });
  return {
    'user-mode Linux': () => inTools('/usr/bin/linux.uml', ...uml),
    'qemu, interpreting': () =>
      inTools('/usr/bin/qemu-system-x86_64', ...qemu, '-display', 'none', '-serial', 'stdio', ...boot),
  };
}

/** Mounts in the tree what its programs need. bench.sh's mount namespace is our own: nobody else sees these mounts. */
function enterable(tools) {
  const mounts = [
    ['-t', 'tmpfs', 'tsrun-bench', 'job'],
    ['-t', 'proc', 'proc', 'proc'],
    ['--rbind', '/dev', 'dev'],
    // User-mode Linux has its memory there, which must be executable; a machine's /dev/shm may not be.
    ['-t', 'tmpfs', 'tsrun-bench', 'dev/shm'],
  ];
  for (const mount of mounts) execFileSync('mount', mount.with(-1, path.join(tools, mount.at(-1))));
}

function makeInitrd(output, work, rootfs) {
  const tree = path.join(work, 'initrd');
  cpSync(rootfs, tree, { recursive: true, verbatimSymlinks: true });
  writeFileSync(path.join(tree, 'init'), `#!/bin/sh\n${program}\n`);
  chmodSync(path.join(tree, 'init'), 0o755);
  execFileSync('sh', ['-c', `find . | busybox cpio -o -H newc 2>/dev/null >'${output}'`], { cwd: tree });
}

async function measure({ command: [file, ...args], env = {}, stop }) {
  const started = process.hrtime.bigint();
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const alarm = setTimeout(() => child.kill('SIGKILL'), patience);
  try {
    await untilGreeting(child);
    const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
    return { milliseconds, memory: processTree(child.pid).reduce((sum, pid) => sum + memoryOf(pid).dirty, 0) };
  } finally {
    clearTimeout(alarm);
    processTree(child.pid).reverse().forEach(end);
    await ended;
    if (stop !== undefined) execFileSync(stop[0], stop.slice(1));
  }
}

async function untilGreeting(child) {
  let text = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes(greeting)) return;
  }
  throw new Error(`it ended before it was up: ${text}`);
}

/** A process and all its descendants. */
function processTree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // ended meanwhile
  }
}
