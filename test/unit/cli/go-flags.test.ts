/** Command lines as callers of runc write them. */
import t from 'tap';
import { commands } from '../../../src/cli/commands.ts';
import { globalOptions } from '../../../src/cli/globals.ts';
import { normalizeGoFlags } from '../../../src/cli/go-flags.ts';

const normalized = (line: string) => normalizeGoFlags(line.split(' '), globalOptions, commands).join(' ');

t.test('long options may have one dash', async (t) => {
  t.equal(
    normalized('restore --detach -no-subreaper --bundle /b id'),
    'restore --detach --no-subreaper --bundle /b id',
  );
  t.equal(normalized('-root=/r -debug state id'), '--root=/r --debug state id');
  t.equal(normalized('run -bundle /b id'), 'run --bundle /b id');
});

t.test('a switch may have a value', async (t) => {
  t.equal(normalized('delete --force=true id'), 'delete --force id');
  t.equal(normalized('--systemd-cgroup=false run -d id'), 'run -d id');
  t.equal(normalized('run -d=T --keep=0 id'), 'run --detach id');
  t.equal(normalized('run --detach -d=false id'), 'run id', 'the last one counts');
  t.equal(normalized('run --d id'), 'run --detach id');
  t.throws(() => normalized('delete --force=maybe id'), /--force: expected true or false, found "maybe"/);
});

t.test('a short option may have its value behind an equals sign', async (t) => {
  t.equal(normalized('run -b=/b id'), 'run --bundle=/b id');
  t.equal(normalized('exec -e=A=1 -u=1:2 id env'), 'exec --env=A=1 --user=1:2 id env');
  t.equal(normalized('run -b= id'), 'run --bundle= id');
});

t.test('short options and values stay as they are', async (t) => {
  t.equal(normalized('kill -a id 9'), 'kill -a id 9');
  t.equal(normalized('run id -b -detach'), 'run id -b -detach');
  t.equal(normalized('exec -e -tty id sh'), 'exec -e -tty id sh');
});

t.test('what follows the id of exec is for the program', async (t) => {
  t.equal(normalized('exec -tty id sh -tty -c=true'), 'exec --tty id sh -tty -c=true');
  t.equal(normalized('update --memory 1 -- -tty'), 'update --memory 1 -- -tty');
});

t.test('an unknown command is left to the parser', async (t) => {
  t.equal(normalized('-root /r rnu -detach'), '-root /r rnu -detach');
});
