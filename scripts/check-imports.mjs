#!/usr/bin/env node
/**
 * Fails when an import of src leads against scripts/lib/rooms.mjs, when a room of that list is named too early, when an
 * arrow it allows is not used, or when files, or folders side by side, import each other in a circle. Another directory
 * than src may be given.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { circles } from './lib/circles.mjs';
import { inRoot } from './lib/paths.mjs';
import { basics, rooms } from './lib/rooms.mjs';

const src = process.argv[2] ?? inRoot('src');
main();

function main() {
  const imports = importsOf(src);
  const faults = [
    ...wrongArrows(imports),
    ...circles(imports).map((files) => `files in a circle: ${files.join(' -> ')}`),
    ...circles(foldersOf(imports)).map((folders) => `folders in a circle: ${folders.join(' -> ')}`),
  ];
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

/** The files that each file imports, types and imports at run time included, by paths below src. */
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

/** The folder below src, or the name of a file that lies beside them. */
function roomOf(file) {
  return file.split('/')[0].replace(/\.ts$/, '');
}

/**
 * The arrows between any two folders of the same parent, a file counting as the folder it is in. What lies in the parent
 * itself is no neighbour: lower/context.ts serves the folders of lower, and lower/create-plan.ts calls them.
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
