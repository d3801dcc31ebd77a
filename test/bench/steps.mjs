/**
 * `--steps`: the user instructions of whole commands, those that make containers included, which valgrind cannot run. One
 * run of each is enough, as the count hardly depends on anything else; but it takes minutes, so `--only` chooses some.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compile } from './timer.mjs';

/** Those that it counts. */
const all = ['run', 'create', 'state', 'exec'];

/** @param {string | undefined} text commands with commas between them; undefined for all */
export function commandsOf(text) {
  const wanted = text?.split(',') ?? all;
  const unknown = wanted.find((command) => !all.includes(command));
  if (unknown !== undefined) throw new Error(`--only: ${unknown} is none of ${all.join(', ')}`);
  return wanted;
}

/**
 * @param {Record<string, string[]>} contestants
 * @param {string[]} only the commands to count
 * @returns {string} a table: a line for each command, a column for each contestant, in millions
 */
export function steps({ contestants, bundles, state, work, only }) {
  const counter = compile(work, 'steps');
  const file = path.join(work, 'count');
  const count = (command) => {
    // Nobody may wait for the output of a container that goes on.
    const { status } = spawnSync(counter, [file, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`${command.join(' ')} exited with ${status}`);
    return Number(readFileSync(file, 'utf8'));
  };
  const columns = Object.entries(contestants).map(([name, command]) => {
    const runtime = [...command, '--root', path.join(state, name)];
    console.error(`bench: counting the steps of ${name}`);
    return { name, counts: countsOf(name, runtime, bundles, count, only) };
  });
  const rows = Object.keys(columns[0].counts).map((command) => {
    const cells = columns.map(({ counts }) => (counts[command] / 1e6).toFixed(2));
    return `| ${[`\`${command}\``, ...cells].join(' | ')} |\n`;
  });
  const head = ['', ...columns.map(({ name }) => name)];
  return [`| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}\n`, ...rows].join('');
}

function countsOf(name, runtime, bundles, count, only) {
  const id = `steps-${name}`;
  const make = (program) => bundles.make('stepped', id, program);
  const does = (...args) => spawnSync(runtime[0], [...runtime.slice(1), ...args], { stdio: 'ignore' });
  // A command that is not counted runs all the same, because others need its container.
  const counts = {};
  const next = (command, ...args) => {
    if (only.includes(command)) counts[command] = count([...runtime, command, ...args]);
    else if (command === 'create') does(command, ...args);
  };
  next('run', '--bundle', make(['/bin/true']), id);
  next('create', '--bundle', make(['/bin/sleep', '1000']), id);
  try {
    next('state', id);
    does('start', id);
    next('exec', id, '/bin/true');
    return counts;
  } finally {
    does('delete', '--force', id);
  }
}
