/** A refusal says what to do about it, and hints are true. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

const edits: Readonly<Record<string, [edit: (spec: Spec) => void, words: RegExp]>> = {
  'an rlimit twice': [
    (spec) => {
      const limit = { type: 'RLIMIT_CORE', soft: 0, hard: 0 } as const;
      spec.process.rlimits = [limit, limit];
    },
    /rlimits\/1: .* was given before, at \/process\/rlimits\/0 \(remove one of the two\)/,
  ],
  'a namespace twice': [
    (spec) => spec.linux.namespaces.push({ type: 'mount' }),
    /namespaces\/\d: .* was given before, .*\(remove one of the two\)/,
  ],
  'a bad size of a tmpfs': [
    (spec) => spec.mounts?.push({ destination: '/x', type: 'tmpfs', source: 'tmpfs', options: ['size=12q'] }),
    /Bad value for 'size'.*hint: bytes, with k, m or g after them, or a share of memory: size=64m, size=50%/,
  ],
  'a kernel parameter of the host': [
    (spec) => {
      spec.linux.sysctl = { 'vm.swappiness': '1' };
    },
    /vm\.swappiness: belongs to no namespace.*\(leave it out; .* sysctl -w /,
  ],
  'a hook that is not there': [
    (spec) => {
      spec.hooks = { createRuntime: [{ path: '/does/not/exist' }] };
    },
    /could not be started: ENOENT.*hint: its path is looked up on the host/,
  ],
  'a hook of the container that is not there': [
    (spec) => {
      spec.hooks = { startContainer: [{ path: '/does/not/exist' }] };
    },
    /could not be started: ENOENT.*hint: its path is looked up in the root filesystem/,
  ],
  'a hook that fails': [
    (spec) => {
      spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo no luck; exit 3'] }] };
    },
    /exited with status 3; its output ended: no luck.*hint: .*run it by hand with the JSON of tsrun state on its stdin/,
  ],
  'an argument that is too long': [
    (spec) => {
      spec.process.args = ['true', 'x'.repeat(200_000)];
    },
    /exec .*true.*: E2BIG \(Argument list too long\): \/process\/args\/1 has 200001 bytes; \d+ is the most for one.*hint: /,
  ],
  'a variable that is too long': [
    (spec) => spec.process.env?.push(`BIG=${'x'.repeat(200_000)}`),
    /E2BIG .*\/process\/env\/\d+ \(BIG\) has 200005 bytes; \d+ is the most for one/,
  ],
  'more than fits together': [
    (spec) => {
      spec.process.args = ['true', ...Array.from({ length: 80 }, () => 'x'.repeat(100_000))];
    },
    /E2BIG .*\/process\/args and \/process\/env have 80\d{5} bytes together; a quarter of RLIMIT_STACK/,
  ],
  'an argument of a hook that is too long': [
    (spec) => {
      spec.hooks = { createRuntime: [{ path: '/bin/true', args: ['true', 'x'.repeat(200_000)] }] };
    },
    /createRuntime hook #0: .*E2BIG .*: \/hooks\/createRuntime\/0\/args\/1 has 200001 bytes/,
  ],
  'an argument of a hook in the container that is too long': [
    (spec) => {
      spec.hooks = { startContainer: [{ path: '/bin/true', args: ['true', 'x'.repeat(200_000)] }] };
    },
    /startContainer hook #0: .*E2BIG .*: \/hooks\/startContainer\/0\/args\/1 has 200001 bytes/,
  ],
  'a variable of a hook in the container that is too long': [
    (spec) => {
      spec.hooks = { startContainer: [{ path: '/bin/true', env: [`BIG=${'x'.repeat(200_000)}`] }] };
    },
    /E2BIG .*: \/hooks\/startContainer\/0\/env\/0 \(BIG\) has 200005 bytes/,
  ],
};

for (const [what, [edit, words]] of Object.entries(edits)) {
  t.test(what, { skip }, async (t) => {
    const { code, stderr } = await sandbox(t).runContainer(['true'], edit);
    t.not(code, 0);
    t.match(stderr, words);
  });
}

t.test('a config.json that is empty, and one that is cut off', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const says = async (text: string) => {
    bundle.writeRaw(text);
    return (await box.runtime(['create', '--bundle', bundle.directory, box.newId()])).stderr;
  };
  t.match(await says(''), /the file is empty \(hint: `tsrun spec` writes a config\.json to begin with\)/);
  t.match(await says('{"ociVersion": "1.0.2", "process"'), /hint: write or copy it again: was the disk full/);
  t.notMatch(await says('{"ociVersion": 1.0.2}'), /hint/, 'where nothing is missing');
});

t.test('an argument that is too long for exec', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const id = await box.createAndStart(bundle);
  const file = join(box.directory, 'process.json');
  writeFileSync(file, JSON.stringify({ ...bundle.spec.process, args: ['true', 'x'.repeat(200_000)] }));
  const { code, stderr } = await box.runtime(['exec', '--process', file, id]);
  t.equal(code, 255);
  t.match(stderr, /E2BIG .* \/args\/1 has 200001 bytes/);
});

t.test('files for exec and update that are empty, cut off or have a property twice', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const file = join(box.directory, 'file.json');
  const commands = [
    ['exec', '--process', file, id],
    ['update', '--resources', file, id],
  ];
  const says = async (command: string[], text: string) => {
    writeFileSync(file, text);
    const { code, stderr } = await box.runtime(command);
    t.not(code, 0);
    return stderr;
  };
  for (const command of commands) {
    t.match(await says(command, ''), /file\.json:1:1: the file is empty \(hint: write or copy it again/);
    t.match(await says(command, '{"cwd": ['), /file\.json:1:9: .*cut off \(hint: write or copy it again/);
  }
  const limit = { type: 'RLIMIT_CORE', soft: 0, hard: 0 };
  const twice = await says(commands[0] ?? [], JSON.stringify({ args: ['true'], cwd: '/', rlimits: [limit, limit] }));
  t.match(twice, /file\.json:1:\d+: \/rlimits\/1: .* given before, at \/rlimits\/0 \(remove one of the two\)/);
});

t.test('an unknown capability is reported', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    spec.process.capabilities?.bounding?.push('CAP_NOBODY');
  });
  const args = ['--log-level', 'warning', 'run', '--bundle', bundle.directory, box.newId()];
  const { code, stderr } = await box.runtime(args);
  t.equal(code, 0);
  t.match(stderr, /level=warning msg=.*unknown capability .*CAP_NOBODY/);
});
