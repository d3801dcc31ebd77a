import { constants } from 'node:os';
import t from 'tap';
import { hookEnd } from '../../../../src/generated/messages.ts';
import { hookHint } from '../../../../src/run/failures/hook-hints.ts';

const { ENOENT, EACCES, ENOEXEC, EAGAIN } = constants.errno;

t.test('each way to end has its own hint, and an unknown one has none', async (t) => {
  t.match(
    hookHint('createRuntime', '/no/such/hook', { end: hookEnd.notStarted, code: ENOENT }),
    /its path is looked up on the host/,
  );
  t.match(
    hookHint('startContainer', '/no/such/hook', { end: hookEnd.notStarted, code: ENOENT }),
    /looked up in the root filesystem/,
  );
  t.match(
    hookHint('poststop', '/no/such/hook', { end: hookEnd.notStarted, code: EACCES }),
    /executable on the host \(chmod \+x\)/,
  );
  t.match(hookHint('poststop', '/no/such/hook', { end: hookEnd.notStarted, code: ENOEXEC }), /architecture/);
  t.equal(hookHint('poststop', '/no/such/hook', { end: hookEnd.notStarted, code: EAGAIN }), undefined);
  t.match(hookHint('prestart', '/no/such/hook', { end: hookEnd.timedOut, code: 0 }), /raise its timeout/);
  t.match(
    hookHint('prestart', '/no/such/hook', { end: hookEnd.exited, code: 3 }),
    /run it by hand .* \/hooks\/prestart/,
  );
  t.equal(hookHint('prestart', '/no/such/hook', { end: hookEnd.signalled, code: 9 }), undefined);
});

t.test('an existing program lacks its interpreter', async (t) => {
  const missing = { end: hookEnd.notStarted, code: ENOENT };
  t.match(hookHint('createContainer', '/bin/sh', missing), /the file is there: its interpreter/);
  // It means the image's shell.
  t.match(hookHint('startContainer', '/bin/sh', missing), /looked up in the root filesystem/);
});
