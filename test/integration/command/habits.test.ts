/** What people type who are used to other programs. */
import t from 'tap';
import { requires, run, runtimePath, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

t.test('tsrun alone prints the help', { skip }, async (t) => {
  const { code, stdout, stderr } = await run(runtimePath, []);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /^Usage: tsrun .*Commands:/s);
});

t.test('commands and options of docker', { skip }, async (t) => {
  const box = sandbox(t);
  for (const [line, hint] of [
    ['ls', /hint: tsrun list\)/],
    ['rm web', /hint: tsrun delete ID/],
    ['stop web', /hint: tsrun kill ID TERM/],
    ['top web', /hint: tsrun ps ID/],
    ['logs web', /hint: tsrun keeps no output/],
    ['restart web', /run it again/],
    ['cp web:/a b', /exec ID tar -c PATH/],
    ['ps', /hint: tsrun list shows containers/],
    ['version', /hint: tsrun --version/],
    ['run --rm web', /unknown option '--rm' \(hint: run deletes the container when it ends/],
    ['run --name web', /hint: the name is the argument/],
    ['create --volume /a:/b web', /hint: it is in the config: \/mounts/],
    ['kill --signal 9 web', /hint: the signal is the second argument/],
    ['exec --workdir / web ls', /hint: here it is --cwd/],
    ['lst', /hint: Did you mean list\?/],
  ] as const) {
    const { code, stderr } = await box.runtime(line.split(' '));
    t.not(code, 0, line);
    t.match(stderr, hint);
  }
});

t.test('delete accepts several ids, and tries all', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = () => box.bundle(({ process }) => (process.args = ['sleep', '1000']));
  const [one, two] = [await box.create(bundle()), await box.create(bundle())];
  const { code, stderr } = await box.runtime(['delete', one, 'nobody', two]);
  t.equal(code, 1);
  t.match(stderr, /does not exist: there is no nobody/);
  t.equal((await box.runtimeOk(['list', '--quiet'])).stdout, '');
  t.equal((await box.runtime(['delete', '--force', one, two])).code, 0);
  t.equal((await box.runtime(['delete', one, two])).stderr.match(/does not exist/g)?.length, 2);
});

t.test('--regex of delete and kill, as with crun', { skip }, async (t) => {
  const box = sandbox(t);
  const make = async () => box.create(box.bundle(({ process }) => (process.args = ['sleep', '1000'])));
  const [one, two, other] = [await make(), await make(), await make()];
  for (const id of [one, two, other]) await box.runtimeOk(['start', id]);
  const ids = `^(${one}|${two})$`;
  t.match(
    (await box.runtime(['delete', '--regex', ids])).stderr,
    /level=error.*\n.*level=error/,
    'each says that it runs',
  );
  await box.runtimeOk(['kill', '--regex', ids, 'KILL']);
  for (const id of [one, two]) await box.runtimeOk(['wait', id]);
  t.match(JSON.parse((await box.runtimeOk(['state', other])).stdout), { status: 'running' });
  await box.runtimeOk(['kill', '--regex', ids, 'KILL'], {});
  await box.runtimeOk(['delete', '--regex', ids]);
  const left = (await box.runtimeOk(['list', '--quiet'])).stdout;
  t.same(left.trim().split('\n'), [other]);
  t.same((await box.runtime(['delete', '--regex', 'no-such-container'])).code, 0);
  t.match((await box.runtime(['kill', '--regex', '(', 'KILL'])).stderr, /--regex: not a regular expression/);
});
