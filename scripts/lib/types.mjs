/**
 * build/types: the library's declarations for users of the npm package, from src/library/index.ts. Their names are
 * those of ES modules, like the library's; only files that its declarations need.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { fail, inRoot } from './paths.mjs';

const entry = 'library/index.ts';
const imported = /(from |import\()(['"])(\.[^'"]*)\.ts\2/g;

export function writeTypes() {
  const declarations = emitted();
  const out = inRoot('build/types');
  rmSync(out, { recursive: true, force: true });
  const wanted = [entry];
  for (const file of wanted) {
    const text = declarations.get(file);
    if (text === undefined) fail(`types: there are no declarations of src/${file}`);
    for (const [, , , specifier] of text.matchAll(imported)) {
      const target = path.join(path.dirname(file), `${specifier}.ts`);
      if (!wanted.includes(target)) wanted.push(target);
    }
    const to = path.join(out, file.replace(/\.ts$/, '.d.mts'));
    mkdirSync(path.dirname(to), { recursive: true });
    writeFileSync(to, text.replace(imported, '$1$2$3.mjs$2'));
  }
}

/** The declarations, by the path of their source below src/. */
function emitted() {
  const { config } = ts.readConfigFile(inRoot('tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true },
    inRoot('.'),
  );
  const declarations = new Map();
  ts.createProgram([inRoot('src', entry)], {
    ...options,
    rootDir: inRoot('src'),
    outDir: '/',
    allowImportingTsExtensions: true,
  }).emit(undefined, (name, text) => declarations.set(name.slice(1).replace(/\.d\.ts$/, '.ts'), text));
  return declarations;
}
