/** Finds exports of src that nobody imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** Not checked: written by generators, or in the place of Node's modules; the package's and the programs' entries. */
const exempt = /^(generated|standalone)\/|^(library\/index|build-info)\.ts$/;

/**
 * An export is for other files of src, or for `others`. What only tests import has to be of use in its own file, as code
 * that only its tests run is dead. A type may also be exported for readers, if its own file uses it.
 *
 * @param {string} src
 * @param {{ others: string[], tests: string[] }} importers directories
 * @returns {string[]} a line for each
 */
export function unusedExports(src, { others, tests }) {
  const used = namesUsed([src, ...others].flatMap(filesIn), src);
  const left = filesIn(src)
    .filter((file) => !exempt.test(relative(src, file)))
    .flatMap((file) =>
      exportsOf(file).filter(({ name, isType, isMentioned }) => !isIn(used, file, name) && !(isType && isMentioned)),
    );
  // Most tests need not be parsed.
  const names = left.map(({ name }) => name);
  const tested = namesUsed(
    tests.flatMap(filesIn).filter((file) => mentionsAny(file, names)),
    src,
  );
  return left
    .filter(({ file, name, isMentioned }) => !(isMentioned && isIn(tested, file, name)))
    .map(({ file, name }) => {
      const who = isIn(tested, file, name) ? 'only tests import' : 'nobody imports';
      return `src/${relative(src, file)}: ${who} ${name}`;
    });
}

function mentionsAny(file, names) {
  const text = readFileSync(file, 'utf8');
  return names.some((name) => text.includes(name));
}

function isIn(used, file, name) {
  const names = used.get(file);
  return names !== undefined && (names.has(name) || names.has('*'));
}

function filesIn(directory) {
  return readdirSync(directory, { recursive: true })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.includes('node_modules'))
    .sort()
    .map((name) => join(directory, name));
}

function parse(file) {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The names that a file exports, and whether it mentions them anywhere but where they are declared. */
function exportsOf(file) {
  const source = parse(file);
  const exported = new Map();
  const mentioned = new Set();
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
      for (const { name } of statement.exportClause.elements) exported.set(name.text, false);
    } else if (statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) {
      const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
      const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
      for (const { name } of declared) exported.set(name.text, isType);
    }
  }
  const visit = (node) => {
    if (ts.isIdentifier(node) && node.parent.name !== node) mentioned.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...exported].map(([name, isType]) => ({ file, name, isType, isMentioned: mentioned.has(name) }));
}

/** The names that files import, by the absolute path of the file that has them; `*` for all of a file's names. */
function namesUsed(files, src) {
  const used = new Map();
  for (const file of files) {
    const use = (path, names) => {
      const target = path.startsWith('.') ? resolve(dirname(file), path) : '';
      if (target === file || !target.startsWith(`${src}/`)) return;
      used.set(target, new Set([...(used.get(target) ?? []), ...names]));
    };
    const visit = (node) => {
      if (ts.isImportDeclaration(node)) use(node.moduleSpecifier.text, namesOf(node.importClause?.namedBindings));
      else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
        use(node.moduleSpecifier.text, namesOf(node.exportClause));
      } else if (ts.isImportTypeNode(node)) {
        use(node.argument.literal.text, [node.qualifier?.getText() ?? '*']);
      } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
        if (ts.isStringLiteral(node.arguments[0])) use(node.arguments[0].text, namesOfCall(node));
      }
      ts.forEachChild(node, visit);
    };
    visit(parse(file));
  }
  return used;
}

function namesOf(bindings) {
  if (bindings === undefined || bindings.elements === undefined) return ['*'];
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}

/** `const { a } = await import(…)` or `(await import(…)).a`; any other call may use all names. */
function namesOfCall(call) {
  const awaited = call.parent;
  if (!ts.isAwaitExpression(awaited)) return ['*'];
  const { parent } = awaited;
  if (ts.isVariableDeclaration(parent) && ts.isObjectBindingPattern(parent.name)) return namesOf(parent.name);
  const isProperty = ts.isParenthesizedExpression(parent) && ts.isPropertyAccessExpression(parent.parent);
  return isProperty ? [parent.parent.name.text] : ['*'];
}
