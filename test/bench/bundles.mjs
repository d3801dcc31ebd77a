/** Bundles to measure with: each container gets a config.json of its own, as from an engine. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export function makeRootfs(work) {
  const rootfs = path.join(work, 'rootfs');
  for (const directory of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    mkdirSync(path.join(rootfs, directory), { recursive: true });
  execFileSync('cp', ['/bin/busybox', path.join(rootfs, 'bin')]);
  for (const applet of ['true', 'sleep', 'sh'])
    execFileSync('ln', ['-sf', 'busybox', path.join(rootfs, 'bin', applet)]);
  return rootfs;
}

/** What `tsrun spec` writes. */
export function readTemplate(work, tsrun) {
  execFileSync(tsrun, ['spec', '--bundle', work]);
  return JSON.parse(readFileSync(path.join(work, 'config.json'), 'utf8'));
}

/** A profile as large as docker's. */
export const seccompProfile = JSON.parse(
  readFileSync(new URL('../fixtures/seccomp-profile.json', import.meta.url), 'utf8'),
);

export class Bundles {
  /** @param cgroup of all containers, below the cgroup2 mount */
  constructor({ work, cgroup, template, rootfs }) {
    Object.assign(this, { work, cgroup, template, rootfs });
  }

  /** @returns the directory of a new bundle with this name; replaces an earlier one */
  make(name, id, args, edit = () => {}) {
    const bundle = path.join(this.work, name);
    mkdirSync(bundle, { recursive: true });
    const spec = structuredClone(this.template);
    spec.process.args = args;
    spec.process.terminal = false;
    spec.root.path = this.rootfs;
    spec.annotations = { 'org.example.container': id };
    spec.linux.cgroupsPath = `/${this.cgroup}/${id}`;
    edit(spec);
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(spec, null, 2));
    return bundle;
  }
}
