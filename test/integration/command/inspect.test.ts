/** `inspect`, `tree`, `info` and `explain` show what there is. */
import { readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { requires, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

t.test('what a container has', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    spec.process.noNewPrivileges = true;
    spec.mounts.push({ destination: '/there', type: 'tmpfs', source: 'mine', options: ['size=64k', 'noexec'] });
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'uts');
    delete spec.hostname;
  });
  const id = await box.createAndStart(bundle);
  const { pid } = JSON.parse((await box.runtimeOk(['state', id])).stdout);
  const found = JSON.parse((await box.runtimeOk(['inspect', '--format', 'json', id])).stdout);
  t.match(found, { state: { id, status: 'running', pid }, running: { privileges: { uid: 0, noNewPrivileges: true } } });
  const { namespaces, mounts, cpus } = found.running;
  const byType = new Map(namespaces.map((one: { type: string }) => [one.type, one]));
  t.match(byType.get('uts'), { shared: true });
  t.match(byType.get('mount'), { shared: false });
  t.equal(readlinkSync(`/proc/${pid}/ns/mnt`), `mnt:[${(byType.get('mount') as { inode: number }).inode}]`);
  t.match(
    mounts.find(({ destination }: { destination: string }) => destination === '/there'),
    { type: 'tmpfs', source: 'mine' },
  );
  t.equal(cpus.allowed, /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const { stdout } = await box.runtimeOk(['inspect', id]);
  for (const title of ['namespaces', 'limits', 'CPUs and memory nodes', 'privileges', 'mounts', 'devices']) {
    t.match(stdout, new RegExp(`^${title}$`, 'm'));
  }
  t.match(stdout, /^ {2}\/there +tmpfs mine \(.*noexec/m);
  t.match((await box.runtimeOk(['tree'])).stdout, new RegExp(`${id} running \\(pid ${pid}`));
  await box.runtimeOk(['kill', id, 'KILL']);
  await box.runtimeOk(['wait', id]);
  t.match(JSON.parse((await box.runtimeOk(['inspect', '--format', 'json', id])).stdout), {
    state: { status: 'stopped' },
    running: null,
  });
});

t.test('what this host has', { skip }, async (t) => {
  const box = sandbox(t);
  const found = JSON.parse((await box.runtimeOk(['info', '--format', 'json'])).stdout);
  t.equal(found.kernel.release, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  t.match(found, { user: { uid: 0 }, libraries: { libseccomp: /^2\./ } });
  t.ok(found.namespaces.includes('mount'));
  // `check` refuses exactly what `info` says cannot be done.
  const cannot = found.cannot.map(({ pointer }: { pointer: string }) => pointer);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    spec.process.apparmorProfile = 'none-of-this-name';
  });
  const { errors } = JSON.parse(
    (await box.runtime(['check', '--format', 'json', '--bundle', bundle.directory])).stdout,
  );
  t.equal(
    errors.some(({ pointer }: { pointer: string }) => pointer === '/process/apparmorProfile'),
    cannot.includes('/process/apparmorProfile'),
  );
  t.match((await box.runtimeOk(['info'])).stdout, /^kernel +Linux /m);
});

t.test('explain takes what an error says', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.mounts.push({ destination: '/x', type: 'tmpfs', source: 'tmpfs', options: ['size=1q'] });
  });
  const { stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  const { stdout } = await box.runtimeOk(['explain', stderr.trim()]);
  t.match(stdout, /^\/mounts$/m);
  t.match(stdout, /^new-filesystem, an operation of the plan$/m);
  const nothing = await box.runtime(['explain', '/proces/args']);
  t.equal(nothing.code, 1);
  t.match(nothing.stderr, /did you mean/);
});
