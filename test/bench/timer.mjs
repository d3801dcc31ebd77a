/** Times commands with a small C program, so that no interpreter is part of a figure. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Milliseconds before each turn, in which the kernel takes down what the container before has left, its network
 * namespace above all.
 */
export const pause = 20;

/** @returns {string} path of the program compiled from NAME.c beside this file */
export function compile(directory, name, ...flags) {
  const output = `${directory}/${name}`;
  execFileSync('gcc', ['-O2', '-o', output, ...flags, new URL(`${name}.c`, import.meta.url).pathname]);
  return output;
}

/**
 * A prefix that gives a command and all that it starts real-time priority, which keeps other work away; [] if that is
 * not allowed.
 */
export function realTime() {
  const prefix = ['chrt', '--fifo', '50'];
  return spawnSync(prefix[0], [...prefix.slice(1), 'true']).status === 0 ? prefix : [];
}

export class Timer {
  /** @param prefix a command that starts another */
  constructor(binary, prefix = []) {
    const [file, ...args] = [...prefix, binary];
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** @returns {Promise<Sample>} of one command; throws if it fails */
  async time(command) {
    this.child.stdin.write(`${command.join('\x1f')}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`cannot start ${command[0]}`);
    const [code, wall, user, system, rss, faults] = value.split(' ').map(Number);
    if (code !== 0) throw new Error(`${command.join(' ')} exited with ${code}`);
    return { wall: wall / 1e6, cpu: (user + system) / 1e3, rss, faults };
  }

  end() {
    this.child.stdin.end();
  }
}

/**
 * @typedef {{ wall: number, cpu: number, rss: number, faults: number }} Sample milliseconds, KiB, and page faults of the
 *   command and what it waited for
 * @param {Sample[]} parts
 * @returns {Sample}
 */
export function sum(parts) {
  const total = (name) => parts.reduce((all, part) => all + part[name], 0);
  return {
    wall: total('wall'),
    cpu: total('cpu'),
    rss: Math.max(...parts.map(({ rss }) => rss)),
    faults: total('faults'),
  };
}
