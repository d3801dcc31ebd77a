/**
 * A rootfs that somebody else can write to: a neighbour renames the mount points while the container is made. The
 * container may be refused; one that starts is protected. TSRUN_RACE_ROUNDS=2000 makes that many containers for each
 * place.
 */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Bundle, cHelper, requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun', cHelpers: true });
const rounds = Number(process.env.TSRUN_RACE_ROUNDS ?? 20);

/**
 * Finds the mount under either name by its filesystem's magic number, makes it the working directory, and prints what
 * is wrong with it.
 */
function look(place: string, magic: string, faults: string): string {
  return `
    for round in $(seq 2000); do
      for name in ${place} /decoy; do
        cd $name && test "$(stat -f -c %t .)" = ${magic} && { ${faults}; echo seen; exit; }
      done
    done
    echo nowhere`;
}

const places = [
  // Files under a mask are /dev/null. Opening a file of /proc/sys, a read-only path, writes nothing yet.
  ['/proc', look('/proc', '9fa0', 'test -f keys && echo unmasked; (: >sys/kernel/hostname) && echo writable')],
  ['/sys', look('/sys', '62656572', 'test -z "$(ls firmware)" || echo unmasked')],
  ['/dev', look('/dev', '1021994', 'test -c null || echo no devices; test -c pts/ptmx || echo no terminals')],
] as const;

function bundleFor(box: Sandbox, place: string, script: string): Bundle {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
  });
  mkdirSync(join(bundle.rootfs, place), { recursive: true });
  // Directories that the masks would land on.
  for (const directory of ['sys/kernel', 'firmware', 'pts']) {
    mkdirSync(join(bundle.rootfs, 'decoy', directory), { recursive: true });
  }
  for (const file of ['keys', 'sys/kernel/hostname']) writeFileSync(join(bundle.rootfs, 'decoy', file), '');
  return bundle;
}

for (const [place, script] of places) {
  t.test(`no mask, mount or device misses a ${place} that is renamed meanwhile`, { skip, timeout: 0 }, async (t) => {
    const box = sandbox(t);
    const bundle = bundleFor(box, place, script);
    const names = [join(bundle.rootfs, place), join(bundle.rootfs, 'decoy')];
    const neighbour = box.startProgram(cHelper('exchange'), names);
    await waitFor('the neighbour', () => neighbour.output.stdout.includes('ready') || undefined);
    const faults = new Set<string>();
    const counts = { started: 0, refused: 0 };
    for (let round = 0; round < rounds; round++) {
      const { code, stdout, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
      counts[code === 0 ? 'started' : 'refused']++;
      if (code === 0 && stdout !== 'seen\n') faults.add(stdout);
      if (code !== 0 && /internal error|^\s+at /m.test(stderr)) faults.add(stderr);
    }
    t.comment(JSON.stringify(counts));
    t.same([...faults], []);
    neighbour.child.kill('SIGKILL');
    await neighbour.done;
    const left = [place, 'decoy'].flatMap((name) => readdirSync(join(bundle.rootfs, name))).sort();
    t.same(left, ['firmware', 'keys', 'pts', 'sys'], 'and nothing was made in the rootfs in its stead');
  });
}

t.test('a moved /proc is refused at the start', { skip }, async (t) => {
  const box = sandbox(t);
  for (const name of ['proc', 'sys', 'dev']) {
    const bundle = box.bundle();
    mkdirSync(join(bundle.rootfs, name), { recursive: true });
    const id = await box.create(bundle);
    renameSync(join(bundle.rootfs, name), join(bundle.rootfs, 'moved'));
    mkdirSync(join(bundle.rootfs, name));
    const { code, stderr } = await box.runtime(['start', id]);
    t.equal(code, 1, name);
    t.match(stderr, new RegExp(`/${name} is no longer what was mounted there`));
  }
});
