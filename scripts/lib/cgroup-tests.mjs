/** Runs the tests of cgroups with the systemd driver, and with the runtimes that tsrun is compared with. */
import { integrationTests, runInCheapestTier } from './vm-tests.mjs';

/**
 * @typedef {import('./vm-tests.mjs').Result} Result
 * @typedef {import('./vm-tests.mjs').Skip} Skip
 */

/**
 * Tests of a container's cgroup must pass whoever has made it. So must those that make, end and undo containers: with
 * systemd the cgroup comes after the clone, and goes by itself. What only looks at containers, or refuses to do
 * anything, would take its time in the VM and show nothing else.
 */
export const cgroupTests = [
  'bad-resources',
  'cgroup-delegation',
  'create',
  'devices',
  'events',
  'exec',
  'hooks',
  'interrupted',
  'live-update',
  'namespaces',
  'pause',
  'resources',
  'run',
  'start',
  'update',
  'update-flags',
  'wait',
];

/** Tests that crun and runc must pass as well. `systemd` uses its own driver, whichever the others use. */
export const sharedTests = [
  'bad-resources',
  'cgroup-delegation',
  'devices',
  'events',
  'exec',
  'live-update',
  'pause',
  'resources',
  'systemd',
  'update',
  'update-flags',
];

/**
 * Runs the tests of cgroups once more, each in the first tier that has what it needs, with the systemd driver.
 *
 * @param {string[]} files
 * @param {(result: Result) => void} onFile
 */
export async function runUnderSystemd(files, onFile) {
  if (process.env.RUNTIME) return;
  // What no tier can run is reported with the other driver.
  const onResult = (found) => onFile({ ...found, skips: [], file: `${found.file} with the systemd driver` });
  await runInCheapestTier(select(files, cgroupTests), onResult, () => {}, { TSRUN_TEST_CGROUP_DRIVER: 'systemd' });
}

/**
 * Runs the tests of cgroups with crun and runc, with each driver, each in the first tier that has what it needs. Where
 * they behave differently, a test is reported as skipped, with what they do instead.
 *
 * @param {string[]} files
 * @param {(result: Result) => void} onFile
 * @param {(...skips: Skip[]) => void} onSkip
 */
export async function runAgainstOthers(files, onFile, onSkip) {
  for (const RUNTIME of ['crun', 'runc']) {
    for (const driver of ['cgroupfs', 'systemd']) {
      const place = `with ${RUNTIME} and ${driver}`;
      const rename = (skips) => skips.map(({ name, reason }) => ({ name: `${place}: ${name}`, reason }));
      await runInCheapestTier(
        select(files, sharedTests),
        (found) => onFile({ ...found, skips: rename(found.skips), file: `${found.file} ${place}` }),
        (...skips) => onSkip(...rename(skips)),
        { RUNTIME, TSRUN_TEST_CGROUP_DRIVER: driver },
      );
    }
  }
}

/**
 * @param {string[]} files
 * @param {string[]} names
 * @returns {Skip[]}
 */
function select(files, names) {
  return integrationTests(files, names).map((name) => ({ name, reason: '' }));
}
