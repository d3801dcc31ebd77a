import { spawnSync } from 'node:child_process';
import t from 'tap';
import { jobScript, makeTrailer, quote } from './job.ts';
import { TrailerFilter } from './trailer-filter.ts';

const trailer = makeTrailer();

t.test('the trailer is found wherever the stream is cut, and nothing else is lost', async (t) => {
  // Has text that looks like the beginning of a trailer at its end and in its middle.
  const output = `one${trailer.slice(0, 5)}two\u001e${trailer.slice(0, 1)}`;
  const stream = Buffer.from(`${output}${trailer}17\u001elate`);
  for (let cut = 0; cut <= stream.length; cut++) {
    let seen = '';
    const filter = new TrailerFilter(trailer, (data) => {
      seen += data;
    });
    filter.write(stream.subarray(0, cut));
    filter.write(stream.subarray(cut));
    t.equal(seen, output, `cut at ${cut}`);
    t.equal(filter.exitCode, 17, `cut at ${cut}`);
  }
});

t.test('output is passed on as it comes', async (t) => {
  const seen: string[] = [];
  const filter = new TrailerFilter(trailer, (data) => seen.push(data.toString()));
  filter.write(Buffer.from('prompt> '));
  t.same(seen, ['prompt> ']);
  t.equal(filter.exitCode, undefined);
});

t.test('any word survives the shell', async (t) => {
  const word = `a 'b' "c" $d \\ \n* ;&`;
  const { stdout } = spawnSync('sh', ['-c', `printf %s ${quote(word)}`], { encoding: 'utf8' });
  t.equal(stdout, word);
});

t.test('a job script ends both streams with the exit code, also where the directory is missing', async (t) => {
  for (const [cwd, code] of [
    ['/', 3],
    ['/does/not/exist', 1],
  ] as const) {
    const job = { command: ['sh', '-c', 'echo out; echo err >&2; exit 3'], env: {}, cwd, binDir: '/bin' };
    const script = jobScript(job, trailer).replace('exec sleep infinity', '');
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    t.ok(stdout.endsWith(`${trailer}${code}\u001e`), stdout);
    t.ok(stderr.endsWith(`${trailer}${code}\u001e`), stderr);
  }
});
