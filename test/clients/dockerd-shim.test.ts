/** dockerd with the resident shim in place of containerd's own: the same as in dockerd.test.ts, and what is the shim's. */
import t from 'tap';
import * as scenarios from './docker/scenarios.ts';
import { Docker, dockerd } from './dockerd.ts';
import { engineTrees } from './engine-tree.ts';

const skip = engineTrees() || dockerd();

t.test('dockerd with the resident shim', { skip }, async (t) => {
  await scenarios.everyday(t, await Docker.start(t, {}, { shim: true }));
});

t.test('dockerd restarts with live containers of the resident shim', { skip }, async (t) => {
  await scenarios.liveRestore(t, await Docker.start(t, { 'live-restore': true }, { shim: true }));
});

t.test('dockerd that maps users, with the resident shim', { skip }, async (t) => {
  await scenarios.mapsUsers(t, await Docker.start(t, { 'userns-remap': 'user' }, { shim: true }));
});
