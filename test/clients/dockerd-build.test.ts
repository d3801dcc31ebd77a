/** dockerd's BuildKit, with the runtime under test as its `runc`. */
import t, { type Test } from 'tap';
import { waitFor } from '../harness/index.ts';
import { Docker, dockerd } from './dockerd.ts';

t.test('docker build with BuildKit', { skip: dockerd() }, async (t) => {
  const docker = await Docker.start(t);
  await t.test('a build that succeeds', (t) => builds(t, docker));
  await t.test('builds that fail', (t) => fails(t, docker));
  await t.test('a build that is cancelled', (t) => cancels(t, docker));
});

/** BuildKit mounts one overlay there and gives the runtime its options: with three layers the names take 256 bytes. */
const layered = `
FROM busybox AS many
RUN echo 1 >/1
RUN echo 2 >/2
RUN echo 3 >/3
RUN echo 4 >/4
FROM busybox
RUN --mount=from=many,target=/many cat /many/1 /many/4; \\
    grep ' /many ' /proc/self/mountinfo
`;

t.test('docker build on the image store of containerd', { skip: dockerd() }, async (t) => {
  const docker = await Docker.start(t, {
    features: { 'containerd-snapshotter': true },
    'storage-driver': 'overlayfs',
  });
  const { code, stderr } = await docker.build(layered, ['--no-cache']);
  t.equal(code, 0, stderr);
  const [first, last, mount = ''] = outputs(stderr);
  t.same([first, last], ['1', '4']);
  // Linux shows layers that were added one by one as `lowerdir+`.
  const layers = [...mount.matchAll(/lowerdir\+?=(?<names>[^,]+)/g)].map(({ groups }) => groups?.names);
  t.ok(layers.join(':').length > 255, `${mount}: more than fsconfig(2) takes as one value`);
});

const dockerfile = `
FROM busybox AS first
RUN echo built >/made && id -u && cat /proc/1/comm
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch touch /cache/x && df /scratch | grep -c tmpfs
RUN --mount=type=secret,id=word cat /run/secrets/word
ENV A=b
WORKDIR /work
USER 1000
RUN id -u; pwd; echo $A; touch /not 2>/dev/null || echo refused
RUN grep -E '^(CapEff|Seccomp):' /proc/self/status; ls /sys/class/net
FROM busybox
COPY --from=first /made /made
CMD ["cat", "/made"]
`;

async function builds(t: Test, docker: Docker) {
  docker.place.writeFile('/tmp/word', 'sesame\n');
  const build = await docker.build(dockerfile, ['--no-cache', '--tag', 'built', '--secret', 'id=word,src=/tmp/word']);
  t.equal(build.code, 0, build.stderr);
  t.same(outputs(build.stderr), [
    ...['0', 'cat', '1', 'sesame'],
    ...['1000', '/work', 'b', 'refused'],
    ...['CapEff:\t0000000000000000', 'Seccomp:\t2', 'lo'],
  ]);
  t.equal(await docker.outputOf('run', '--rm', '--network', 'none', 'built'), 'built\n');
  const two = 'FROM busybox AS a\nRUN echo one >/a\nFROM busybox AS b\nRUN echo two >/b\n';
  const both = 'FROM busybox\nCOPY --from=a /a /a\nCOPY --from=b /b /b\nRUN cat /a /b\n';
  t.same(outputs((await docker.build(two + both)).stderr), ['one', 'two'], 'stages that run side by side');
}

async function fails(t: Test, docker: Docker) {
  const nine = await docker.build('FROM busybox\nRUN exit 9\n');
  t.match(nine, { code: 1, stderr: /process "\/bin\/sh -c exit 9" did not complete successfully: exit code: 9/ });
  const missing = await docker.build('FROM busybox\nRUN ["no-such-program"]\n');
  t.match(missing, { code: 1, stderr: /executable file .*not found in \$PATH/ });
  t.match(missing.stderr, /process "no-such-program" did not complete successfully: exit code: 1\n/);
}

async function cancels(t: Test, docker: Docker) {
  const { place } = docker;
  const command = 'echo $$ >/tmp/pid; exec docker build --network none --progress plain -';
  const input = 'FROM busybox\nRUN echo running && exec sleep 1234\n';
  const build = place.startDaemon(['sh', '-c', command], { input });
  await waitFor('the step to run', () => build.output.stderr.includes(' running\n') || undefined);
  const isRunning = async () => (await place.run(['pgrep', '-fx', 'sleep 1234'])).code === 0;
  await waitFor('the program', async () => (await isRunning()) || undefined);
  await place.outputOf(['sh', '-c', 'kill -INT $(cat /tmp/pid)']);
  t.match(await build.done, { code: 130, stderr: /context canceled/ });
  await waitFor('the end of the step', async () => ((await isRunning()) ? undefined : true));
}

/** The output of the RUN steps: lines such as `#6 0.050 text`. */
function outputs(progress: string): string[] {
  return [...progress.matchAll(/^#\d+ \d+\.\d+ (?<text>.*)$/gm)].map(({ groups }) => groups?.text ?? '');
}
