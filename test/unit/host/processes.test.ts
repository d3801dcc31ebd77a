import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { addon } from '../../../src/addon.ts';
import { identityOf, innermostPid, isAlive, isEnding, type ProcessIdentity } from '../../../src/host/processes.ts';
import { requires } from '../../harness/index.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });

t.test('a process is identified by its start time, or by its pidfd if that is unknown', { skip }, async (t) => {
  const child = spawn('sleep', ['1000']);
  const pid = child.pid ?? 0;
  const pidfd = addon().pidfdOpen(pid);
  const identity = identityOf(pid, pidfd);
  t.ok(isAlive(identity));
  const { inode, ...noInode } = identity;
  t.ok(isAlive(noInode), 'of a record that an earlier version wrote');
  t.notOk(isAlive({ ...identity, startTime: identity.startTime + 1 }));
  t.equal(innermostPid(pid, pidfd), pid);
  if (inode !== undefined) {
    const hidden: ProcessIdentity = { pid, startTime: 0, inode };
    t.ok(isAlive(hidden));
    t.notOk(isAlive({ ...hidden, inode: inode + 1 }));
    t.ok(isEnding({ ...hidden, inode: inode + 1 }));
    t.throws(() => isAlive({ pid, startTime: 0 }), /cannot look at process/, 'nothing tells');
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.notOk(isAlive(identity));
  t.notOk(isAlive({ ...identity, startTime: 0 }));
});
