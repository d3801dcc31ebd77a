/** Files of the container that are not what they look like. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, sandbox } from '../../harness/index.ts';

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
