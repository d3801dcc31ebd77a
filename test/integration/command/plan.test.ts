/** `tsrun plan`: its output. Nothing is made. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun' });

t.test('groups and names, without what is in every plan', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.user = { uid: 0, gid: 0, umask: 0o22 };
    spec.process.capabilities = { bounding: ['CAP_KILL', 'CAP_AUDIT_WRITE'] };
    spec.linux.devices = [{ type: 'c', path: '/dev/odd', major: 1, minor: 3, fileMode: 0o640 }];
  });
  const { stdout } = await box.runtimeOk(['plan', '--bundle', bundle.directory]);
  const titles = stdout.split('\n').filter((line) => /^[A-Z]\w+$/.test(line));
  t.same(titles, ['Cgroup', 'Namespaces', 'Filesystems', 'Process', 'Start']);
  t.match(stdout, /make-device path=\/dev\/odd mode=0640 c major=1 minor=3/);
  t.match(stdout, /set-umask mask=0022/);
  t.match(stdout, /bound-capabilities bounding=CAP_KILL,CAP_AUDIT_WRITE {2}<- /);
  t.match(stdout, /new-filesystem destination=\/sys .*attributes=ro,nosuid,nodev,noexec/);
  t.notMatch(stdout, /path=\/dev\/null|=false|=null/);
  t.notOk(stdout.includes('\u001b'), 'no colours where there is no terminal');
  t.match(stdout, /\d+ steps that every container has are shown with --all\n$/);
  const all = (await box.runtimeOk(['plan', '--all', '--bundle', bundle.directory])).stdout;
  t.match(all, /make-device path=\/dev\/null mode=0666 c .* uid=0 gid=0/);
  const json = JSON.parse((await box.runtimeOk(['plan', '-f', 'json', '--bundle', bundle.directory])).stdout);
  t.equal(json.ops.length, all.match(/^ *\d+ /gm)?.length, 'all of them');
  const rules = json.ops.find(({ op }: { op: string }) => op === 'filter-devices').rules;
  t.ok(rules.includes('allow c 1:3 rwm'), 'JSON has the rules as ever');
});

t.test('--diff: one inserted mount is one line; a bundle, a file, a container', { skip }, async (t) => {
  const box = sandbox(t);
  const edit = (spec: Spec) => (spec.process.args = ['sleep', '1000']);
  const bundle = box.bundle(edit);
  const id = await box.create(bundle);
  const diff = (...args: string[]) => box.runtime(['plan', '--bundle', bundle.directory, '--diff', ...args]);
  t.match(await diff(id), { code: 0, stdout: '' }, 'the container that was made of it');
  const old = join(box.directory, 'old.json');
  cpSync(join(bundle.directory, 'config.json'), old);
  bundle.edit((spec) => spec.mounts?.splice(1, 0, { destination: '/data', type: 'tmpfs', source: 'tmpfs' }));
  for (const other of [id, old]) {
    const { code, stdout } = await diff(other);
    t.equal(code, 1);
    t.match(stdout, /^\+ \/mounts\/1: \/data new-filesystem type=tmpfs .*; attach-mount\S*\n$/, stdout);
  }
  bundle.edit((spec) => {
    spec.mounts?.splice(1, 1);
    spec.hostname = 'other';
  });
  t.match((await diff(id)).stdout, /^- \/hostname: .*\n\+ \/hostname: set-hostname name=other\n$/);
  const second = box.bundle(edit);
  t.match(await diff(second.directory), {
    code: 1,
    stdout: /^- \/hostname: .*\n\+ \/hostname: .*\n- \/root\/path: .*\n\+ \/root\/path: /m,
  });
  t.match(await diff('nobody'), { code: 1, stderr: /container does not exist/ });
  t.match(await diff('./nobody'), { code: 1, stderr: /--diff .*no such bundle or file/ });
});

t.test('--exec takes the command line of exec', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle(({ process }) => (process.args = ['sleep', '1000'])));
  await box.runtimeOk(['start', id]);
  for (const line of [
    ['-e', 'A=b', '-u', '5', '--cwd', '/bin', id, 'sh', '-c', 'id -u', '--exec'],
    ['--user', '5', '-d', '-c', 'CAP_KILL', id, 'ls', '--all', '-l'],
  ]) {
    const { stdout } = await box.runtimeOk(['plan', '--exec', ...line]);
    t.match(stdout, /set-user uid=5/);
    t.match(
      stdout,
      `args=${line.slice(line.indexOf(id) + 1).some((word) => word.includes(' ')) ? '[' : line.slice(line.indexOf(id) + 1).join()}`,
    );
  }
});
