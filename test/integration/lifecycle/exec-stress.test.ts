/** `exec` in bad conditions: many at once, a container that ends, no pids left, a killed runtime, spies inside. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { type Bundle, requires, type Sandbox, type Spec, sandbox, sleep, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true });

async function started(box: Sandbox, edit: (spec: Spec) => void): Promise<{ id: string; bundle: Bundle }> {
  const bundle = box.bundle(edit);
  const id = await box.createAndStart(bundle);
  return { id, bundle };
}

async function pidsOf(box: Sandbox, id: string): Promise<number[]> {
  return JSON.parse((await box.runtimeOk(['ps', '--format', 'json', id])).stdout);
}

t.test('200 execs in a row all succeed and leave nothing behind', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await started(box, (spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
  });
  let succeeded = 0;
  for (let batch = 0; batch < 50; batch++) {
    const four = [1, 2, 3, 4].map((n) => box.runtime(['exec', id, 'sh', '-c', `exit ${n}`]));
    for (const [n, { code, stderr }] of (await Promise.all(four)).entries()) {
      if (code === n + 1 && stderr === '') succeeded++;
      else t.fail(`exec ended with ${code}: ${stderr}`);
    }
  }
  t.equal(succeeded, 200);
  t.same(await pidsOf(box, id), [(await box.state(id)).pid]);
});

t.test('exec while the container ends fails in runc’s words, or has been in time', { skip }, async (t) => {
  const box = sandbox(t);
  for (let round = 0; round < 6; round++) {
    const { id } = await started(box, (spec) => {
      spec.process.args = ['/bin/sleep', '100000'];
    });
    const execs = [0, 1, 2].map(() => box.runtime(['exec', id, 'true']));
    await sleep(round * 20);
    await box.runtime(['kill', id, 'KILL']);
    for (const { code, stderr } of await Promise.all(execs)) {
      // Too late, in time, or so late that the program itself was killed.
      const refused = code === 255 && /cannot exec in a stopped container/.test(stderr);
      t.ok(refused || code === 0 || code === 128 + 9, `${code}: ${stderr}`);
    }
    await box.runtimeOk(['delete', '--force', id]);
  }
});

t.test(
  'exec with no pids left fails and says why',
  {
    skip: requires({ root: true, cgroup2: true, controllers: ['pids'], runtime: 'tsrun' }),
  },
  async (t) => {
    const box = sandbox(t);
    const { id } = await started(box, (spec) => {
      spec.process.args = ['/bin/sleep', '100000'];
      spec.linux.resources = { ...spec.linux.resources, pids: { limit: 1 } };
    });
    t.match(await box.runtime(['exec', id, 'true']), { code: 255, stderr: /EAGAIN.*pids\/limit/ });
  },
);

t.test('an exec whose runtime is killed leaves nothing half done', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await started(box, (spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
  });
  const { pid } = await box.state(id);
  for (let round = 0; round < 20; round++) {
    const running = box.startRuntime(['exec', id, 'sleep', '5000'], { outputFiles: `${box.directory}/exec` });
    // From before the clone to after the execve.
    await sleep(round * 8);
    running.child.kill('SIGKILL');
    await running.done;
  }
  const others = async () => (await pidsOf(box, id)).filter((each) => each !== pid);
  const programOf = (each: number) => {
    try {
      return readFileSync(`/proc/${each}/cmdline`, 'utf8').split('\0')[0];
    } catch {
      return 'gone';
    }
  };
  // A process that became the program before the kill belongs to the container; any other must go.
  await waitFor('all to be the program or gone', async () => {
    return (await others()).every((each) => ['sleep', 'gone'].includes(programOf(each) ?? '')) || undefined;
  });
});

/** Appends all processes' open files and directories to /seen, as fast as it can. */
const spy = `
  while :; do
    for link in /proc/[0-9]*/fd/* /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe; do
      echo "$link $(readlink $link)"
    done 2>/dev/null >> /seen
    echo >> /rounds
  done`;

t.test('no file of the host can be reached from inside while exec joins', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await started(box, (spec) => {
    spec.process.args = ['/bin/sh', '-c', spy];
    // With these the kernel shows the spy what it hides from an ordinary container.
    const all = ['CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN', 'CAP_DAC_READ_SEARCH', 'CAP_KILL'];
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
  });
  await waitFor('the spy', () => bundle.has('rounds') || undefined);
  for (let i = 0; i < 10; i++) await box.runtimeOk(['exec', id, 'true']);
  const lines = readFileSync(`${bundle.rootfs}/seen`, 'utf8').split('\n');
  // The last line may be incomplete.
  const seen = lines.slice(0, -1).map((line) => line.split(' ')[1] ?? '');
  const inside = new Set(readdirSync(bundle.rootfs).map((name) => `/${name}`));
  // Pipes, sockets, memfds and deleted files are not in the host's tree; paths are the container's.
  const paths = [...new Set(seen)].filter((target) => target.startsWith('/') && !target.startsWith('/memfd:'));
  // The joining process has this file of its own open, in a procfs that is mounted nowhere.
  const isOwn = (path: string) => path === '/' || /^\/\d+\/oom_score_adj$/.test(path);
  const strange = paths.filter((path) => !isOwn(path) && !inside.has(`/${path.split('/')[1]}`));
  t.same(strange, []);
  t.ok(paths.includes('/bin/busybox'), 'the spy has seen programs');
  t.notOk(seen.includes(readlinkSync('/proc/self/exe')), 'and not the runtime’s');
});
