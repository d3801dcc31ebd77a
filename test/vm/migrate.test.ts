/** A container that serves a TCP connection is moved from one virtual machine to another; its client notices a pause only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { cHelper, hasCHelpers } from '../harness/c-helper.ts';
import { vmAvailability } from './availability.ts';
import { runInVm } from './machine.ts';
import { checkout } from './paths.ts';

/** Milliseconds; the first test builds the image, or waits for others that build it. */
const timeout = 50 * 60 * 1000;

const { ok, why } = vmAvailability('qemu');
const skip = (!ok && why) || (!hasCHelpers() && 'needs gcc');

t.test('a container moves to another machine with its connection', { skip, timeout }, async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'tsrun-wire-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const talk = cHelper('talk');
  const machine = (own: string, other: string) =>
    runInVm({
      tier: 'qemu',
      command: [path.join(checkout, 'test/vm/guest/migrate.sh'), own, talk],
      shares: [talk],
      wire: { directory, own, other },
      timeoutSeconds: 1000,
    });
  const [from, to] = await Promise.all([machine('from', 'to'), machine('to', 'from')]);
  t.match(from, { exitCode: 0, stdout: /^moved after answer \d+; the same connection goes on$/m }, from.stderr);
  t.match(to, { exitCode: 0, stdout: /^it was here at the end$/m }, to.stderr);
});
