/**
 * containerd with the resident shim against containerd's own shim with runc and with crun, all three in turn in each
 * round, in the tree of Debian forky (test/clients/enter-tree.sh): one containerd, one image.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { enterTree } from './engine-tree.mjs';
import { medianOf } from './report.mjs';

/** What the issue about the shim asks for, in parts of the other. */
const goals = {
  'ctr run -d': { runc: 0.4, crun: 0.58 },
  'ctr run -d above ctr container create': { runc: 0.2, crun: 0.35 },
  'in process: create + start + delete': { crun: 0.25 },
  'in process: exec of /bin/true': { crun: 0.4 },
  'create of 8 at once, for each': { crun: 0.6 },
  'private memory of all shims': { runc: 0.05 },
  'private memory of all shims, at rest': { runc: 0.05 },
};

/** @returns {Promise<string>} the results for people */
export async function shim({ work, cgroupDirectory, rootfs, bundles, timerProgram, rounds, containers }) {
  const place = await enterTree(work, path.join(cgroupDirectory, 'shim'));
  try {
    writeImage(work, rootfs);
    const specs = ['one', 'exec'].map((name) => [name, bundles.make(name, name, ['/bin/sleep', '1000'])]);
    const template = JSON.parse(readFileSync(path.join(specs[0][1], 'config.json'), 'utf8'));
    // Paths as they are in the tree's cgroup namespace.
    template.linux.cgroupsPath = '/bench';
    writeFileSync(
      path.join(work, 'shim.json'),
      JSON.stringify({ work, template, timerProgram, rounds, containers, checkout: inRoot('.') }),
    );
    const inside = ['node', inRoot('test/bench/shim-inside.mjs'), path.join(work, 'shim.json')];
    return table(withDifference(JSON.parse(place.run(inside))));
  } finally {
    await place.end();
  }
}

/** The root filesystem as an image of one layer, in the layout that `docker save` writes. */
function writeImage(work, rootfs) {
  const directory = path.join(work, 'image');
  mkdirSync(directory);
  execFileSync('tar', ['-C', rootfs, '-cf', path.join(directory, 'layer.tar'), '.']);
  const [sum] = execFileSync('sha256sum', [path.join(directory, 'layer.tar')], { encoding: 'utf8' }).split(' ');
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sum}`] },
  };
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: ['localhost/bench:1'], Layers: ['layer.tar'] }];
  writeFileSync(path.join(directory, 'manifest.json'), JSON.stringify(manifest));
  execFileSync('tar', ['-C', directory, '-cf', path.join(work, 'image.tar'), '.']);
}

/** Of medians, since the two are different commands. */
function withDifference({ 'ctr run -d': all, 'ctr container create': base, ...others }) {
  const above = Object.keys(all).map((name) => [name, [medianOf(all[name]) - medianOf(base[name])]]);
  return {
    'ctr run -d': all,
    'ctr container create': base,
    'ctr run -d above ctr container create': Object.fromEntries(above),
    ...others,
  };
}

/** @param {Record<string, Record<string, number[]>>} figures of each contestant, in milliseconds or KiB */
function table(figures) {
  const row = ([title, byName]) => {
    const of = (name) => (byName[name] === undefined ? undefined : medianOf(byName[name]));
    const own = of('tsrun');
    const cells = ['tsrun', 'runc', 'crun'].map((name) => (of(name) === undefined ? '' : of(name).toFixed(1)));
    const against = ['runc', 'crun'].map((name) => {
      if (of(name) === undefined) return '';
      const goal = goals[title]?.[name];
      return `${(own / of(name)).toFixed(2)}${goal === undefined ? '' : ` (goal ${goal})`}`;
    });
    return `| ${[title, ...cells, ...against].join(' | ')} |`;
  };
  const head = '| ms; KiB for memory | tsrun | runc | crun | / runc | / crun |\n|---|---|---|---|---|---|';
  return `${[head, ...Object.entries(figures).map(row)].join('\n')}\n`;
}
