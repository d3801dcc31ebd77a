/** The build's changes of the engine's source (scripts/lib/quickjs-changes.mjs). */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

/** Runs it on a source in a process of its own, because it ends the build if something does not fit. */
function change(source: string) {
  const script = `
    import { withChanges } from './scripts/lib/quickjs-changes.mjs';
    process.stdout.write(withChanges(${JSON.stringify(source)}));`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: repoRoot, encoding: 'utf8' });
}

t.test('a release of the engine that has something elsewhere ends the build', (t) => {
  const { status, stderr, stdout } = change('static void js_new_way(JSValue v)\n{\n    JS_REF_COUNT(v)++;\n}\n');
  t.not(status, 0);
  t.match(stderr, /quickjs\.c has 0 places like .* where 1 are expected/);
  t.equal(stdout, '');
  t.end();
});
