/**
 * The commands in README and the users' pages do what the pages say. A `console` block is a session: lines that begin
 * with `$ ` are typed, and the others must be printed in this order, with anything for `…`. A command shown without
 * output must exit with 0. The blocks of a page are one session, with a working and a state directory of its own.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, runtimePath, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

/** The first lines of blocks that are not run here. test/install or CI does what they say. */
const elsewhere = [/^\$ npm run /, /^\$ install -m 755 build/];

for (const page of ['README.md', 'docs/troubleshooting.md', 'docs/json.md']) {
  const blocks = consoleBlocks(readFileSync(join(repoRoot, page), 'utf8'));
  t.test(page, { skip }, async (t) => {
    t.ok(blocks.length > 0, 'there is something to run');
    const box = sandbox(t);
    const { directory, bin } = place(box.directory);
    writeFileSync(join(bin, 'tsrun'), `#!/bin/sh\nexec ${runtimePath} --root ${box.root} "$@"\n`);
    chmodSync(join(bin, 'tsrun'), 0o755);
    const steps = blocks.flatMap(stepsOf);
    const results = runSession(directory, bin, steps);
    for (const [index, { command, expected }] of steps.entries()) {
      const { output, code } = results[index] ?? { output: '', code: undefined };
      t.ok(expected.length === 0 ? code === '0' : printed(output, expected), command, { expected, output, code });
    }
  });
}

/** @returns the text of each `console` block that runs here */
function consoleBlocks(text: string): string[] {
  const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.filter((block) => !elsewhere.some((first) => first.test(block)));
}

interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

function stepsOf(block: string): Step[] {
  const [, ...parts] = block.split(/^\$ /m);
  return parts.map((part) => {
    const [command = '', ...expected] = part.trimEnd().split('\n');
    return { command, expected };
  });
}

function place(parent: string) {
  const [directory, bin] = [join(parent, 'session'), join(parent, 'bin')];
  for (const each of [directory, bin]) mkdirSync(each);
  return { directory, bin };
}

/** The output and exit code of each step. One shell runs all of them, so that `cd` and files last. */
function runSession(directory: string, bin: string, steps: readonly Step[]) {
  const script = ['exec 2>&1', ...steps.map(({ command }) => `${command}\necho end-of-a-step:$?`)].join('\n');
  writeFileSync(join(bin, 'session'), script);
  const { stdout } = spawnSync('bash', [join(bin, 'session')], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  return [...stdout.matchAll(/(.*?)end-of-a-step:(\d+)\n/gs)].map(([, output = '', code]) => ({
    output: plain(output),
    code,
  }));
}

/** The message of a log line, as people see it. */
function plain(output: string): string {
  return output.replace(/^time="[^"]*" level=\w+ msg=("(?:[^"\\]|\\.)*")$/gm, (_line, msg: string) => JSON.parse(msg));
}

function printed(output: string, expected: readonly string[]): boolean {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const lines = expected.map((line) => line.trim().split('…').map(literal).join('.*'));
  return new RegExp(lines.join('.*'), 's').test(output);
}
