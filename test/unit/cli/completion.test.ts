/** Has bash complete words with the script that is made from the declarations. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { commands } from '../../../src/cli/commands.ts';
import { bashCompletion } from '../../../src/cli/completion/bash.ts';
import { globalOptions } from '../../../src/cli/globals.ts';

const script = `${bashCompletion(globalOptions, commands)}
tsrun() { if [[ $1 == --root ]]; then echo "of-$2"; else echo web; fi; }
COMP_WORDS=(tsrun "$@"); COMP_CWORD=$#; _tsrun; echo "\${COMPREPLY[*]}"`;

const complete = (...words: string[]): string =>
  execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' }).trim();

t.test('bash completes commands, options, choices and ids', async (t) => {
  t.equal(complete('sta'), 'start state stats');
  t.equal(complete('--root', '/r', 'kil'), 'kill');
  t.equal(complete('--log-format', ''), 'text json');
  t.equal(complete('list', '--format', ''), 'table json');
  t.equal(complete('kill', '--a'), '--all');
  t.equal(complete('kill', 'w'), 'web');
  t.equal(complete('--root', 'r', 'kill', 'o'), 'of-r');
  t.match(complete('kill', 'web', ''), /HUP INT QUIT .*KILL/);
  t.equal(complete('kill', 'web', 'KI'), 'KILL');
  t.equal(complete('check', '--format', ''), 'text json sarif github');
  t.equal(complete('check', '--config', ''), '', 'a file');
  t.equal(complete('ins'), 'inspect');
  t.equal(complete('create', 'w'), '');
  t.equal(complete('completion', ''), 'bash zsh fish');
});
