/** `check`: what it says agrees with what run does. */
import t from 'tap';
import { requires, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

t.test('a bundle that runs is right', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
  });
  const { code, stdout, stderr } = await box.runtime(['check', '--bundle', bundle.directory]);
  t.equal(code, 0);
  t.match(stdout, 'is right, and this host can run it');
  t.equal(stderr, '');
  t.equal((await box.runtime(['run', '--bundle', bundle.directory, box.newId()])).code, 0);
});

t.test('what is wrong is a list with places, and exit code 1', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['no-such-program'];
    spec.mounts.push({ destination: '/data', source: '/no/such/directory', options: ['bind'] });
  });
  const { code, stdout } = await box.runtime(['check', '--format', 'json', '--bundle', bundle.directory]);
  t.equal(code, 1);
  const report = JSON.parse(stdout);
  t.equal(report.ok, false);
  t.match(
    report.errors.map(({ pointer }: { pointer: string }) => pointer),
    ['/process/args/0', '/mounts/7/source'],
  );
  t.ok(report.errors.every(({ line, column }: { line: number; column: number }) => line > 0 && column > 0));
  t.not((await box.runtime(['run', '--bundle', bundle.directory, box.newId()])).code, 0);
});

t.test('a bundle without a config is the one-line error of every command', { skip }, async (t) => {
  const box = sandbox(t);
  const { code, stdout, stderr } = await box.runtime(['check', '--bundle', box.directory]);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, 'JSON specification file config.json not found');
});
