/** MUSTs of the runtime-spec that no other test file is about. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

async function startedSleep(box: Sandbox, edit?: (spec: Spec) => void): Promise<string> {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    edit?.(spec);
  });
  const id = await box.createAndStart(bundle);
  return id;
}

// runc refuses it at create.
t.test('config.md, Process: it is optional at create and required by start', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    delete (spec as Partial<Spec>).process;
  });
  const id = await box.create(bundle);
  t.match(await box.runtime(['start', id]), { code: 1, stderr: /\/process: required by start .*hint/ });
  t.equal((await box.state(id)).status, 'created', 'as if the start had never been tried');
  await box.runtimeOk(['delete', id]);
});

t.test('config.md, Mounts: entries are mounted in the listed order', { skip }, async (t) => {
  const box = sandbox(t);
  const file = (name: string) => {
    const directory = join(box.directory, name);
    mkdirSync(join(directory, 'below'), { recursive: true });
    writeFileSync(join(directory, 'name'), name);
    return directory;
  };
  const [first, second, third] = [file('first'), file('second'), file('third')];
  const bind = (source: string, destination: string) => ({ destination, type: 'bind', source, options: ['bind'] });
  const output = await box.outputOf('cat /mnt/name /mnt/below/name; echo; ls /opt/below', (spec) => {
    spec.mounts.push(bind(first, '/mnt'), bind(second, '/mnt'), bind(third, '/mnt/below'));
    // In the other order the mount below is hidden.
    spec.mounts.push(bind(third, '/opt/below'), bind(first, '/opt'));
  });
  t.equal(output, 'secondthird\n');
});

t.test('config.md, Extensibility: unknown properties are ignored', { skip }, async (t) => {
  const output = await sandbox(t).outputOf('echo ran', (spec) => {
    Object.assign(spec, { 'com.example.future': { process: 1 }, solaris: {} });
    Object.assign(spec.process, { future: true });
    Object.assign(spec.linux, { future: [] });
    Object.assign(spec.mounts[0] ?? {}, { future: null });
  });
  t.equal(output, 'ran\n');
});

t.test('config.md, Annotations: unknown keys are no error, and state tells them all', { skip }, async (t) => {
  const box = sandbox(t);
  const annotations = { 'com.example.key': 'value', 'org.example/ünïcode 🎉': '', a: '{"b": 1}' };
  const id = await startedSleep(box, (spec) => {
    spec.annotations = annotations;
  });
  t.strictSame((await box.state(id)).annotations, annotations);
  await box.runtimeOk(['delete', '--force', id]);
});

t.test('config.md, Process: consoleSize is ignored without a terminal', { skip }, async (t) => {
  const output = await sandbox(t).outputOf('test -t 0 || echo none', (spec) => {
    Object.assign(spec.process, { terminal: false, consoleSize: { height: 7, width: 7 } });
  });
  t.equal(output, 'none\n');
});

t.test('config.md, Root: its path is absolute, or relative to the bundle', { skip }, async (t) => {
  const box = sandbox(t);
  let absolute = '';
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/echo', 'ran'];
  });
  absolute = join(bundle.directory, bundle.spec.root.path);
  t.notOk(bundle.spec.root.path.startsWith('/'));
  t.equal((await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout, 'ran\n');
  bundle.edit((spec) => {
    spec.root.path = absolute;
  });
  t.equal((await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout, 'ran\n');
});

t.test('config-linux.md, Seccomp: listenerPath is ignored without SCMP_ACT_NOTIFY', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const output = await box.outputOf('echo ran', (spec) => {
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: join(box.directory, 'nobody.sock') };
    Object.assign(spec.linux, { seccomp });
  });
  t.equal(output, 'ran\n');
});

t.test('runtime.md, State: ociVersion is that of the config', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle((spec) => (spec.ociVersion = '1.0.1')));
  t.equal((await box.state(id)).ociVersion, '1.0.1');
});

t.test('runtime.md: an operation that is refused has no effect', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await startedSleep(box);
  const before = await box.state(id);
  t.not((await box.runtime(['start', id])).code, 0);
  t.not((await box.runtime(['delete', id])).code, 0);
  const bundle = box.bundle();
  t.not((await box.runtime(['create', '--bundle', bundle.directory, id])).code, 0);
  t.strictSame(await box.state(id), before);
  t.match(readFileSync(`/proc/${before.pid}/status`, 'utf8'), /^Name:\tsleep$/m);
  await box.runtimeOk(['kill', id, 'KILL']);
  const stopped = await box.waitForState(id, 'stopped');
  t.not((await box.runtime(['kill', id, 'TERM'])).code, 0);
  t.not((await box.runtime(['start', id])).code, 0);
  t.strictSame(await box.state(id), stopped);
  await box.runtimeOk(['delete', id]);
});

t.test('runtime.md, Delete: the id may be used again', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo x >>/count; exit 3'];
  });
  const id = box.newId();
  for (const _ of [1, 2]) t.equal((await box.runtime(['run', '--bundle', bundle.directory, id])).code, 3);
  t.equal(readFileSync(join(bundle.directory, bundle.spec.root.path, 'count'), 'utf8'), 'x\nx\n');
  t.notOk(existsSync(join(box.root, id)));
});
