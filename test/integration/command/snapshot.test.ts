/** A command copies few pages of the heap that the executable has ready: what it changes is its own (scripts/lib/quickjs-immortal.mjs). */
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

/** What a table of the engine that grows would cost, or a collection, is more than this: each touches all shapes. */
const most = 150;

t.test('a command that does much takes few page faults more than one that does little', { skip }, async (t) => {
  const box = sandbox(t);
  const faults = (...args: string[]) =>
    Number(execFileSync(cHelper('faults-of'), [runtimePath, '--root', box.root, ...args], { encoding: 'utf8' }));
  const few = faults('list');
  const many = faults('plan', '--bundle', box.bundle().directory, 'c');
  t.ok(few > 0);
  t.ok(many - few < most, `${few} and ${many}`);
});
