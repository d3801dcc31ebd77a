/**
 * `--steps`: the user instructions of whole commands, those that make containers included, which valgrind cannot run. One
 * run of each is enough, as the count hardly depends on anything else; but it takes minutes.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compile } from './timer.mjs';

/**
 * @param {Record<string, string[]>} contestants
 * @returns {string} a table: a line for each command, a column for each contestant, in millions
 */
export function steps({ contestants, bundles, state, work }) {
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
    return { name, counts: countsOf(name, runtime, bundles, count) };
  });
  const rows = Object.keys(columns[0].counts).map((command) => {
    const cells = columns.map(({ counts }) => (counts[command] / 1e6).toFixed(2));
    return `| ${[`\`${command}\``, ...cells].join(' | ')} |\n`;
  });
  const head = ['', ...columns.map(({ name }) => name)];
  return [`| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}\n`, ...rows].join('');
}

function countsOf(name, runtime, bundles, count) {
  const id = `steps-${name}`;
  const make = (program) => bundles.make('stepped', id, program);
  const run = count([...runtime, 'run', '--bundle', make(['/bin/true']), id]);
  const create = count([...runtime, 'create', '--bundle', make(['/bin/sleep', '1000']), id]);
  try {
    const state = count([...runtime, 'state', id]);
    spawnSync(runtime[0], [...runtime.slice(1), 'start', id]);
    const exec = count([...runtime, 'exec', id, '/bin/true']);
    return { run, create, state, exec };
  } finally {
    spawnSync(runtime[0], [...runtime.slice(1), 'delete', '--force', id]);
  }
}
