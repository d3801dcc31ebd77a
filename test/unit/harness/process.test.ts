/** The tests' own waits: a hang becomes a failure that says what hangs. */
import t from 'tap';
import { isAlive, run, waitFor } from '../../harness/index.ts';

t.test('a program that hangs is killed, and the error has its command and its output', async (t) => {
  const script = 'echo $$ >&2; exec sleep 1000';
  const error = await run('/bin/sh', ['-c', script], { seconds: 2 }).catch((error: Error) => error);
  t.type(error, Error);
  const [, pid] = /^\/bin\/sh -c .* did not end within 2 s: (\d+)\n$/s.exec(String((error as Error).message)) ?? [];
  t.ok(Number(pid) > 0, String(error));
  // SIGKILL is on its way.
  await waitFor('its end', () => (isAlive(Number(pid)) ? undefined : true));
});

t.test('one that ends in time is not killed, whatever it leaves behind', async (t) => {
  t.match(await run('/bin/sh', ['-c', 'echo out; exit 3'], { seconds: 100 }), { code: 3, stdout: 'out\n' });
});
