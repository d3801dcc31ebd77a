/** An error about a property says where it is: in the config, in --process, in --resources. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

/** `file:line:column` of the only place of these words in a file. */
function place(file: string, words: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes(words));
  return `${file}:${line + 1}:${(lines[line]?.indexOf(words) ?? 0) + 1}`;
}

const edits: Readonly<Record<string, [edit: (spec: Spec) => void, words: string, message: RegExp]>> = {
  'what the kernel refuses': [
    (spec) => spec.mounts?.push({ destination: '/odd', type: 'nofs', source: 'odd' }),
    '{',
    /^: \/mounts\/\d+: new-filesystem \/odd: nofs: ENODEV/,
  ],
  'a source that is not there': [
    (spec) => spec.mounts?.push({ destination: '/odd', source: '/no/such', options: ['bind'] }),
    '"/no/such"',
    /^: \/mounts\/\d+\/source: mount on \/odd: \/no\/such: no such file or directory/,
  ],
  'a root filesystem that is not there': [
    (spec) => {
      spec.root = { path: 'nowhere' };
    },
    '"nowhere"',
    /^: \/root\/path: invalid rootfs/,
  ],
  'what this host cannot do': [
    (spec) => {
      spec.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '99999' };
    },
    '"99999"',
    /^: \/linux\/memoryPolicy\/nodes: 99999 is too large/,
  ],
};

for (const [what, [edit, words, message]] of Object.entries(edits)) {
  t.test(what, { skip }, async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle(edit);
    const config = join(bundle.directory, 'config.json');
    // restore finds these two before it asks for criu.
    const alsoRestored = ['"nowhere"', '"99999"'].includes(words);
    for (const command of ['run', 'create', ...(alsoRestored ? ['restore'] : [])]) {
      const { code, stderr } = await box.runtime([command, '--bundle', bundle.directory, box.newId()]);
      t.equal(code, 1, command);
      const at = words === '{' ? (stderr.match(/\/\S+config\.json:\d+:\d+/)?.[0] ?? '') : place(config, words);
      t.ok(at !== '' && stderr.includes(`msg="${at}`), `${command}: ${stderr}`);
      t.match(stderr.slice(stderr.indexOf(at) + at.length), message);
    }
  });
}

t.test('the place in a JSON log: of the error, and of a warning', { skip }, async (t) => {
  const box = sandbox(t);
  const logged = async (name: string, edit: (spec: Spec) => void) => {
    const bundle = box.bundle(edit);
    const file = join(box.directory, `${name}.json`);
    await box.runtime(['--log', file, '--log-format', 'json', 'run', '--bundle', bundle.directory, box.newId()]);
    const entries = readFileSync(file, 'utf8').trim().split('\n');
    t.equal(entries.length, 1, name);
    return { config: join(bundle.directory, 'config.json'), entry: JSON.parse(entries[0] ?? '') };
  };
  const failed = await logged('error', ({ mounts }) =>
    mounts?.push({ destination: '/odd', source: '/no/such', options: ['bind'] }),
  );
  t.equal(failed.entry.level, 'error');
  const at = `${place(failed.config, '"/no/such"')}: `;
  t.ok(failed.entry.msg.startsWith(`${at}/mounts/`), failed.entry.msg);
  const warned = await logged('warning', ({ process }) => {
    process.args = ['true'];
    process.capabilities = { bounding: ['CAP_NO_SUCH'] };
  });
  t.equal(warned.entry.level, 'warning');
  const where = `${place(warned.config, '"CAP_NO_SUCH"')}: `;
  t.ok(warned.entry.msg.startsWith(`${where}/process/capabilities/bounding/0: `), warned.entry.msg);
});

t.test('the words that engines look for come first, and then the place', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(({ process }) => (process.args = ['no-such-program']));
  const { stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  const at = place(join(bundle.directory, 'config.json'), '"no-such-program"');
  t.match(stderr, /msg="exec: \\"no-such-program\\": executable file not found in \$PATH \(at /);
  t.match(stderr, `(at ${at}: /process/args/0; hint: `);
});

t.test('a startContainer hook in start and in run', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.hooks = { poststart: [{ path: '/bin/false' }] };
  });
  const config = join(bundle.directory, 'config.json');
  const hook = (path: string) => `(at ${place(path, '"/bin/false"').replace(/:\d+:\d+$/, '')}`;
  const run = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.match(run.stderr, /error running poststart hook #0: /);
  t.ok(run.stderr.includes(hook(config)), run.stderr);
  const id = await box.create(bundle);
  const start = await box.runtime(['start', id]);
  t.match(start.stderr, new RegExp(`\\(at \\S*/${id}/config.json:\\d+:\\d+: /hooks/poststart/0; hint: `));
});

t.test('exec: the file of --process, or the container’s config, or nothing', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  const file = join(bundle.directory, 'process.json');
  writeFileSync(file, '{"cwd": "/",\n "args": ["true"],\n "cwd2": 1,\n "execCPUAffinity": {"final": "4000"}}');
  const given = await box.runtime(['exec', '--process', file, id]);
  t.match(given.stderr, `${place(file, '"4000"')}: /execCPUAffinity/final: set-cpu-affinity 4000`);
  const typed = await box.runtime(['exec', '--cwd', '/no/such', id, 'true']);
  t.match(typed.stderr, 'exec failed: /process/cwd: chdir to /no/such: no such file or directory');
});

t.test('exec: wrong types in --process, each with its place; unknown properties are ignored', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  const file = join(bundle.directory, 'process.json');
  writeFileSync(file, '{"cwd": "/", "args": ["true"],\n "user": {"uid": "root"},\n "terminal": "no"}');
  const { code, stderr } = await box.runtime(['exec', '--process', file, id]);
  t.equal(code, 255);
  t.match(stderr, `2 errors in ${file}`);
  t.match(stderr, 'process.json:2:18: /user/uid: ');
  t.match(stderr, 'process.json:3:14: /terminal: ');
  writeFileSync(file, '{"cwd": "/", "args": ["echo", "done"], "unknown": {"user": 7}, "capabilities": {"more": []}}');
  t.equal((await box.runtimeOk(['exec', '--process', file, id])).stdout, 'done\n');
});

t.test('exec: what the container’s config has', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const copy = join(box.root, id, 'config.json');
  if (!existsSync(copy)) t.fail(copy);
  const text = readFileSync(copy, 'utf8').replace(
    '"process": {',
    '"process": {\n"execCPUAffinity": {"final": "4000"},',
  );
  writeFileSync(copy, text);
  const { stderr } = await box.runtime(['exec', id, 'true']);
  t.match(stderr, `exec failed: ${place(copy, '"4000"')}: /process/execCPUAffinity/final: `);
});

t.test('update: the file of --resources', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  const file = join(bundle.directory, 'resources.json');
  writeFileSync(file, '{"memory":\n  {"limit": "much"}}');
  const { stderr } = await box.runtime(['update', '--resources', file, id]);
  t.match(stderr, `${place(file, '"much"')}: /memory/limit: `);
  writeFileSync(file, '{"pids": [],\n  "unknown": 1}');
  const second = await box.runtime(['update', '--resources', file, id]);
  t.match(second.stderr, `${place(file, '"unknown"').replace(/:\d+$/, '')}:`);
  t.match(second.stderr, `${place(file, '[]')}: /pids: must be an object`);
});
