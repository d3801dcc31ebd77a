/** test/helpers-c/inject.c makes exactly the faults that it is told to make. */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import t from 'tap';
import { cHelper, hasCHelpers } from '../../harness/c-helper.ts';

const skip = hasCHelpers() ? false : 'needs gcc';

function inject(...args: string[]) {
  return spawnSync(cHelper('inject'), args, { encoding: 'utf8' });
}

t.test('counts the calls of the command or of its children', { skip }, async (t) => {
  const script = 'echo one; (echo two; echo three); :';
  t.match(inject('--count', '/bin/sh', '-c', script).stderr, /^write 1$/m);
  t.match(inject('--count', '--children', '/bin/sh', '-c', script).stderr, /^write 2$/m);
});

t.test('an error', { skip }, async (t) => {
  const fault = `write:1:${constants.errno.ENOSPC}`;
  const { stdout, stderr, status } = inject('--error', fault, '/bin/sh', '-c', 'echo one; echo two');
  t.equal(stdout, 'two\n');
  t.match(stderr, /I\/O error|[Nn]o space left/);
  t.match(stderr, /^fired \d+ write one/m);
  t.equal(status, 0, 'the exit code is that of the command');
});

t.test('a short write', { skip }, async (t) => {
  const { stdout } = inject('--short', 'write:1', '/bin/busybox', 'echo', 'four');
  t.ok(stdout === 'four\n' || stdout === 'fo', stdout);
});

t.test('a kill before and after a call', { skip }, async (t) => {
  const before = inject('--kill', 'write:1', '/bin/sh', '-c', 'echo one; echo two');
  t.same([before.status, before.stdout], [128 + constants.signals.SIGKILL, '']);
  const after = inject('--kill', 'write:1:exit', '/bin/sh', '-c', 'echo one; echo two');
  t.same([after.status, after.stdout], [128 + constants.signals.SIGKILL, 'one\n']);
});

t.test('says if there was nothing to break, and ends what hangs', { skip }, async (t) => {
  t.match(inject('--error', 'write:9:5', '/bin/true').stderr, /^missed$/m);
  const late = inject('--seconds', '1', '--error', 'write:9:5', '/bin/sleep', '1000');
  t.equal(late.status, 124);
  t.match(late.stderr, /^hang (clock_)?nanosleep$/m);
  t.equal(inject('--error', 'nonsense:1:5', '/bin/true').status, 125);
});
