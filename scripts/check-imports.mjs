#!/usr/bin/env node
/**
 * Fails if an import in src is not in scripts/lib/rooms.mjs, if that list names a room before it is defined or has an
 * arrow that nothing uses, if files, or folders side by side, import each other in a circle, or if an export has no use.
 * Takes other directories than src and test as its arguments.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { circles } from './lib/circles.mjs';
import { inRoot } from './lib/paths.mjs';
import { basics, rooms } from './lib/rooms.mjs';
import { unusedExports } from './lib/unused-exports.mjs';

const [src = inRoot('src'), tests = inRoot('test')] = process.argv.slice(2);
const others = src === inRoot('src') ? ['scripts', 'examples', 'test/bench'].map((name) => inRoot(name)) : [];
main();

function main() {
  const imports = importsOf(src);
  const faults = [
    ...wrongArrows(imports),
    ...circles(imports).map((files) => `files in a circle: ${files.join(' -> ')}`),
    ...circles(foldersOf(imports)).map((folders) => `folders in a circle: ${folders.join(' -> ')}`),
    ...unusedExports(src, { others, tests: [tests] }),
  ];
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

/** The files that each file imports, by paths below src; includes imports of types and at run time. */
function importsOf(directory) {
  const names = readdirSync(directory, { recursive: true }).filter((name) => name.endsWith('.ts'));
  return new Map(
    names.sort().map((name) => {
      const file = join(directory, name);
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'));
      const own = importedFiles.map(({ fileName }) => fileName).filter((path) => path.startsWith('.'));
      return [name, own.map((path) => relative(directory, resolve(dirname(file), path)))];
    }),
  );
}

function wrongArrows(imports) {
  const faults = [];
  const unused = new Set(
    Object.entries(rooms).flatMap(([room, others]) => others.map((other) => `${room} -> ${other}`)),
  );
  const order = Object.keys(rooms);
  for (const [room, others] of Object.entries(rooms)) {
    for (const other of others) {
      if (order.indexOf(other) >= order.indexOf(room))
        faults.push(`scripts/lib/rooms.mjs: ${other} is not before ${room}`);
    }
  }
  for (const [file, targets] of imports) {
    const room = roomOf(file);
    for (const target of targets) {
      const other = roomOf(target);
      unused.delete(`${room} -> ${other}`);
      if (other === room || basics.includes(other) || rooms[room]?.includes(other)) continue;
      faults.push(`src/${file} imports src/${target}: scripts/lib/rooms.mjs does not let ${room} import ${other}`);
    }
  }
  return [...faults, ...[...unused].map((arrow) => `scripts/lib/rooms.mjs: nothing uses ${arrow}`)];
}

/** The folder below src that a file is in, or the name of a file beside these folders. */
function roomOf(file) {
  return file.split('/')[0].replace(/\.ts$/, '');
}

/**
 * The arrows between folders with the same parent; a file counts as the folder it is in. Files in the parent itself do
 * not count: lower/context.ts serves the folders of lower, and lower/create-plan.ts calls them.
 */
function foldersOf(imports) {
  const arrows = new Map();
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [dirname(file).split('/'), dirname(target).split('/')];
      const shared = from.findIndex((name, index) => name !== to[index]);
      if (shared < 0 || to[shared] === undefined) continue;
      const name = from.slice(0, shared + 1).join('/');
      arrows.set(name, [...(arrows.get(name) ?? []), to.slice(0, shared + 1).join('/')]);
    }
  }
  return arrows;
}
