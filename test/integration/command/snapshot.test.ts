/**
 * A command copies few pages of the heap in the executable: only those that it changes
 * (scripts/lib/quickjs-immortal.mjs).
 */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { cHelper, hasCHelpers } from '../../harness/c-helper.ts';
import { requires, runtimePath, sandbox } from '../../harness/index.ts';
import { runsOnNode } from '../../harness/runtime.ts';

const skip =
  requires({ root: true, runtime: 'tsrun' }) ||
  (runtimePath.includes('/sanitize/') && 'a sanitized engine collects all the time') ||
  (runsOnNode && 'Node has no such snapshot') ||
  (!hasCHelpers() && 'needs gcc');

/** If a table of the engine grew, or with a collection, it would be more: either touches all shapes. */
const most = 150;

t.test('a command that does much takes few more page faults than one that does little', { skip }, async (t) => {
  const box = sandbox(t);
  const faults = (...args: string[]) =>
    Number(execFileSync(cHelper('faults-of'), [runtimePath, '--root', box.root, ...args], { encoding: 'utf8' }));
  const few = faults('list');
  const many = faults('plan', '--bundle', box.bundle().directory, 'c');
  t.ok(few > 0);
  t.ok(many - few < most, `${few} and ${many}`);
});
