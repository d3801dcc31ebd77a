import t from 'tap';
import { commit, version } from '../../src/build-info.ts';

t.test('the build puts in the version and the commit', async (t) => {
  t.match(version, /^\d+\.\d+\.\d+$/);
  t.match(commit, /^([0-9a-f]{12,}|unknown)$/);
});
