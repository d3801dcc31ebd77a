/**
 * The commands of README and the pages for users do what the pages say. A `console` block is a session: lines that begin
 * with `$ ` are typed, the others must be printed, in this order and with anything for `…`; a command that is shown without
 * output must exit with 0. The blocks of a page are one session in a directory of their own, with a state directory of their own.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, runtimePath, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

/** Blocks that are not run here, by their first line. test/install does what they say, or CI itself. */
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

/** @returns the text of each `console` block that is run here */
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

/** What each step printed, and its exit code. One shell runs all of them, so that `cd` and files last. */
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

/** A log line's message as a person sees it. */
function plain(output: string): string {
  return output.replace(/^time="[^"]*" level=\w+ msg=("(?:[^"\\]|\\.)*")$/gm, (_line, msg: string) => JSON.parse(msg));
}

function printed(output: string, expected: readonly string[]): boolean {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const lines = expected.map((line) => line.trim().split('…').map(literal).join('.*'));
  return new RegExp(lines.join('.*'), 's').test(output);
}
