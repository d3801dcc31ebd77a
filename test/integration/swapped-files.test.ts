/** Files of the container that are not what they look like, or change while init looks at them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { requires, sandbox } from '../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

t.test('the terminal comes from a devpts at /dev/pts, and not from where a link leads', { skip }, async (t) => {
  const box = sandbox(t);
  const links = join(box.directory, 'links');
  mkdirSync(links);
  symlinkSync('/other/ptmx', join(links, 'ptmx'));
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.process.terminal = true;
    for (const mount of spec.mounts) if (mount.destination === '/dev/pts') mount.destination = '/other';
    spec.mounts.push({ destination: '/dev/pts', type: 'bind', source: links, options: ['bind'] });
  });
  const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], { input: '' });
  t.equal(code, 1);
  t.match(stderr, /\/dev\/pts is no devpts/);
});

/** A thread that puts `decoy` in the place of `file` and back, until the test ends. */
function swapper(t: { teardown(end: () => unknown): unknown }, file: string, decoy: string): void {
  const loop = `const { workerData: { file, decoy } } = require('node:worker_threads');
    const { renameSync } = require('node:fs');
    const saved = decoy + '-saved';
    for (;;) { renameSync(file, saved); renameSync(decoy, file); renameSync(file, decoy); renameSync(saved, file); }`;
  const worker = new Worker(loop, { eval: true, workerData: { file, decoy } });
  t.teardown(() => worker.terminate());
}

t.test('tmpcopyup does not wait for a fifo that is put where a file was', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.mounts.push({ destination: '/srv', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] });
  });
  const file = join(bundle.rootfs, 'srv/file');
  mkdirSync(join(bundle.rootfs, 'srv'), { recursive: true });
  writeFileSync(file, 'content');
  execFileSync('mkfifo', [join(box.directory, 'fifo')]);
  swapper(t, file, join(box.directory, 'fifo'));
  // Each create may fail, for the file is gone at times; none may hang. A few dozen meet the moment.
  for (let round = 0; round < 60; round++) {
    const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    if (code !== 0) t.match(stderr, /tmpcopyup|\/mounts\/|mounts\[/);
  }
});
