/** dockerd with the runtime under test as an additional one, as the default, and as its `runc`. */
import t from 'tap';
import * as scenarios from './docker/scenarios.ts';
import { Docker, dockerd } from './dockerd.ts';

t.test('dockerd', { skip: dockerd() }, async (t) => {
  await scenarios.everyday(t, await Docker.start(t));
});

t.test('dockerd restarts with live containers', { skip: dockerd() }, async (t) => {
  await scenarios.liveRestore(t, await Docker.start(t, { 'live-restore': true }));
});

t.test('dockerd that maps users', { skip: dockerd() }, async (t) => {
  await scenarios.mapsUsers(t, await Docker.start(t, { 'userns-remap': 'user' }));
});
