/** Lowering asks the host nothing: all that it knows comes from HostFacts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';

/** What a pure module may import: functions on paths, tables, and types. */
const pure = /^(node:path|\.{1,2}\/.*)$/;
const asksTheHost = /\/(host|addon|there|write|close|run|container)(\/|\.ts$)/;

t.test('src/lower imports nothing that looks at the host', async (t) => {
  const folder = resolve('src/lower');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  t.ok(files.length > 20, 'the files are there');
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [statement, from = ''] of text.matchAll(/^import [^;]*? from '([^']+)';/gms)) {
      if (statement.startsWith('import type')) continue;
      t.ok(pure.test(from) && !asksTheHost.test(from), `${file}: ${from}`);
    }
    t.notMatch(text, /\bprocess\.(get\w+id|umask|cwd)\??\.?\(/, `${file}: the runtime's own process`);
  }
});
