/** buildah on its own: `buildah run` and `buildah build` with the runtime under test. */
import { engineRuntime } from './engine-place.ts';
import { podmanTest } from './podman.ts';

/** Not script(1), which sometimes sees buildah stopped for a moment, stops itself as well, and is never continued. */
const openTerminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

// buildah shares podman's store, which has the image.
podmanTest('buildah from, run, commit and build', async (t, { place }) => {
  const buildah = (...args: string[]) => place.run(['buildah', '--storage-driver', 'vfs', ...args]);
  const oci = ['--isolation', 'oci', '--network', 'none', '--runtime', engineRuntime];
  const { stdout: name, stderr } = await buildah('from', '--pull=never', 'localhost/busybox');
  t.equal(name, 'busybox-working-container\n', stderr);

  const run = (flags: string[], ...args: string[]) => buildah('run', ...oci, ...flags, name.trim(), ...args);
  const flags = ['--user', '1000', '--workingdir', '/tmp', '--env', 'A=b', '--hostname', 'box'];
  const seen = await run(flags, 'sh', '-c', 'id -u; pwd; echo $A; hostname; ls /sys/class/net');
  t.equal(seen.stdout, '1000\n/tmp\nb\nbox\nlo\n', seen.stderr);
  t.equal((await run([], 'sh', '-c', 'echo kept >/file; exit 9')).code, 9);
  t.not((await run([], 'no-such-program')).code, 0);
  const onTerminal = ['buildah', '--storage-driver', 'vfs', 'run', '--terminal', ...oci, name.trim(), 'tty'];
  t.match((await place.run(['python3', '-c', openTerminal, ...onTerminal])).stdout, /\/dev\/pts\/0/);
  t.equal((await buildah('commit', '--quiet', name.trim(), 'localhost/kept')).code, 0);

  const steps = ['FROM localhost/kept', 'ARG WORD', 'RUN --mount=type=tmpfs,target=/scratch echo $WORD >/scratch/x'];
  place.writeFile('/tmp/context/Containerfile', [...steps, 'RUN ls /scratch; cat /file'].join('\n'));
  const built = await buildah('build', ...oci, '--build-arg', 'WORD=x', '/tmp/context');
  t.match(built.stdout, /\nkept\n/, built.stderr);
  t.equal(built.code, 0);
});
