/** `npm run docs:api`: typedoc makes build/api.md, the library's functions and types with their docstrings. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Application } from 'typedoc';
import { fail, inRoot } from './paths.mjs';

const out = mkdtempSync(path.join(tmpdir(), 'tsrun-api-'));
try {
  await write(inRoot('build/api.md'));
} finally {
  rmSync(out, { recursive: true });
}

async function write(file) {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [inRoot('src/library/index.ts')],
    tsconfig: inRoot('tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    outputs: [{ name: 'markdown', path: out }],
    name: 'tsrun: the library',
    readme: 'none',
    // One page, which does not depend on where the checkout is.
    outputFileStrategy: 'modules',
    disableSources: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    excludeInternal: true,
    excludePrivate: true,
    skipErrorChecking: true,
    // Signatures mention types of generated/ that are not exported.
    validation: { notExported: false },
    logLevel: 'Warn',
  });
  const project = await app.convert();
  if (project === undefined) fail('typedoc finds no library');
  await app.generateOutputs(project);
  copyFileSync(path.join(out, 'README.md'), file);
}
