/** Events that are rare and possible only at one moment: strace(1) makes them happen. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, runtimePath, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';

const needs = { root: true, runtime: 'tsrun', commands: ['strace'] };
const skip = requires(needs);

/** Starts `run` of the bundle under strace with these options; calls are logged in a file for each process. */
function traced(box: Sandbox, directory: string, options: string[]) {
  const command = [runtimePath, '--root', box.root, 'run', '--bundle', directory, box.newId()];
  return box.startProgram('strace', ['-ff', '-o', join(box.directory, 'log'), ...options, ...command]);
}

/** strace's log so far: whole lines, by process. */
function calls(box: Sandbox): Map<number, string[]> {
  const files = readdirSync(box.directory).filter((name) => name.startsWith('log.'));
  return new Map(
    files.map((name) => {
      const lines = readFileSync(join(box.directory, name), 'utf8').split('\n');
      return [Number(name.slice(4)), lines.slice(0, -1)];
    }),
  );
}

t.test(
  'loading a device filter is tried again if a signal interrupts the verifier',
  { skip: requires({ ...needs, cgroup2: true, deviceFilter: true, cgroupDriver: 'cgroupfs' }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/true'];
      // If the kernel refuses the filter, that must be an error.
      spec.linux.resources = { devices: [{ allow: false, access: 'rwm' }] };
    });
    const load = (inject: string) =>
      traced(box, bundle.directory, ['-e', 'trace=bpf', '-e', `inject=bpf:error=EAGAIN${inject}`]).done;
    t.match(await load(':when=1..3'), { code: 0, stderr: '' });
    const made = [...calls(box).values()].flat();
    t.equal(made.filter((line) => /BPF_PROG_LOAD.*EAGAIN.*INJECTED/.test(line)).length, 3);
    t.equal(made.filter((line) => /BPF_PROG_LOAD.* = \d/.test(line)).length, 1);
    t.ok(
      made.some((line) => /BPF_PROG_ATTACH.* = 0/.test(line)),
      'and attached',
    );
    const never = await load('');
    t.match(never, { code: 1, stderr: /\/linux\/resources\/devices: .*EAGAIN/ }, 'not for ever');
  },
);

for (const flags of [[], ['--ignore-paused']]) {
  t.test(`a signal that comes before exec ${flags.join()} waits goes to the program`, { skip }, async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/sleep', '100000'];
    });
    const id = await box.createAndStart(bundle);
    const exec = ['exec', ...flags, '--pid-file', join(box.directory, 'pid'), id, '/bin/sleep', '100000'];
    // The pid file gets its name once the process exists, and before it is the program.
    const renames = 'rename,renameat,renameat2';
    const { code, signal } = await box.startProgram('strace', [
      ...['-f', '-o', join(box.directory, 'log'), '-e', `trace=${renames}`, '-e', `inject=${renames}:signal=SIGTERM`],
      ...[runtimePath, '--root', box.root, ...exec],
    ]).done;
    t.same({ code, signal }, { code: 128 + 15, signal: null });
    t.match(readFileSync(join(box.directory, 'log'), 'utf8'), /SIGTERM/);
    const { stdout } = await box.runtimeOk(['ps', '--format', 'json', id]);
    t.equal(JSON.parse(stdout).length, 1, 'it has ended');
  });
}

/** A process that is stopped and not yet continued, and the call that it was stopped in. */
function stoppedCall(box: Sandbox, seen: Map<number, number>): { pid: number; call: string } | undefined {
  for (const [pid, lines] of calls(box)) {
    const stops = lines.flatMap((line, index) => (line.includes('stopped by SIGSTOP') ? [index] : []));
    const count = seen.get(pid) ?? 0;
    if (stops.length === count) continue;
    seen.set(pid, count + 1);
    return { pid, call: lines.slice(0, stops[count]).findLast((line) => line.startsWith('statx(')) ?? '' };
  }
  return undefined;
}

t.test('tmpcopyup does not wait for a fifo that replaces a file', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.mounts.push({ destination: '/srv', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] });
  });
  bundle.addFile('srv/file-to-swap', 'content');
  const fifo = join(box.directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  // Every statx(2) stops its process at once, so there is any amount of time before the open that follows.
  const run = traced(box, bundle.directory, ['-e', 'trace=statx', '-e', 'inject=statx:signal=SIGSTOP']);
  let ended = false;
  run.done.finally(() => {
    ended = true;
  });
  const seen = new Map<number, number>();
  let swapped = false;
  while (!ended) {
    const stop = await waitFor(
      'the next statx, or the end',
      () => stoppedCall(box, seen) ?? (ended ? 'end' : undefined),
    );
    if (stop === 'end') break;
    if (stop.call.includes('"file-to-swap"')) {
      renameSync(fifo, join(bundle.rootfs, 'srv/file-to-swap'));
      swapped = true;
    }
    process.kill(stop.pid, 'SIGCONT');
  }
  t.ok(swapped);
  t.match(await run.done, { code: 1, stderr: /\/mounts\/\d+\/\S+: copy-up .*file-to-swap.*ESTALE/ });
});
