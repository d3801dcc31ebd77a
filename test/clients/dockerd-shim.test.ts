/** dockerd with the resident shim in place of containerd's own: the same as in dockerd.test.ts, and what is the shim's. */
import t from 'tap';
import * as scenarios from './docker/scenarios.ts';
import { Docker, dockerd } from './dockerd.ts';
import { engineTrees } from './engine-tree.ts';

const skip = engineTrees() || dockerd();

t.test('dockerd with the resident shim', { skip }, async (t) => {
  const docker = await Docker.start(t, {}, { shim: true });
  await t.test('run in the foreground', (t) => scenarios.runsInForeground(t, docker));
  await t.test('what a container may do', (t) => scenarios.permissions(t, docker));
  await t.test('what a container is given', (t) => scenarios.resources(t, docker));
  await t.test('namespaces of the host and of others', (t) => scenarios.namespaces(t, docker));
  await t.test('the life of a detached container', (t) => scenarios.detached(t, docker));
  await t.test('exec', (t) => scenarios.exec(t, docker));
  await t.test('health checks and restarts', (t) => scenarios.health(t, docker));
  await t.test('containers that start at the same time', (t) => scenarios.manyAtOnce(t, docker));
});

t.test('dockerd restarts with live containers of the resident shim', { skip }, async (t) => {
  await scenarios.liveRestore(t, await Docker.start(t, { 'live-restore': true }, { shim: true }));
});

t.test('dockerd that maps users, with the resident shim', { skip }, async (t) => {
  await scenarios.mapsUsers(t, await Docker.start(t, { 'userns-remap': 'user' }, { shim: true }));
});
