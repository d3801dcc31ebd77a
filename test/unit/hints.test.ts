/** Hints for calls that fail outside a plan's ops: each appears where it is true, and nowhere else. */
import t from 'tap';
import { removalHint } from '../../src/cgroup/cgroupfs.ts';
import { filterHint } from '../../src/cgroup/devices.ts';
import { psHint } from '../../src/container/ps.ts';
import { whereToWrite } from '../../src/container/store.ts';
import { systemHint } from '../../src/errors.ts';
import { helperHint, mapHint } from '../../src/run/ops/id-maps.ts';
import { openHint } from '../../src/run/ops/namespace.ts';
import { pidFileHint } from '../../src/run/ops/pid-file.ts';

const setfcap = 1n << 31n;

t.test('a device filter that may not be attached', async (t) => {
  t.match(
    filterHint('EPERM', () => false),
    /needs CAP_BPF and CAP_NET_ADMIN/,
  );
  t.match(
    filterHint('EPERM', () => true),
    /the device program of a cgroup above/,
  );
  t.match(
    filterHint('ENOSYS', () => true),
    /CONFIG_CGROUP_BPF/,
  );
  t.equal(
    filterHint('ENOMEM', () => true),
    undefined,
  );
});

t.test('IDs that may not be mapped', async (t) => {
  t.match(mapHint('EPERM', '0 0 1\n', 0n), /CAP_SETFCAP/);
  t.match(mapHint('EPERM', '0 0 1\n', setfcap), /must be mapped in the runtime’s own user namespace/);
  t.match(mapHint('EPERM', '0 1000 1\n', 0n), /must be mapped in the runtime’s own user namespace/);
  t.equal(mapHint('ENOMEM', '0 0 1\n', 0n), systemHint({ code: 'ENOMEM' }));
  t.match(helperHint('newuidmap', 'uid', 'newuidmap: write to uid_map failed: Operation not permitted'), /setuid root/);
  t.match(helperHint('newgidmap', 'gid', 'newgidmap: gid range [0-1) -> [5-6) not allowed'), '/etc/subgid');
});

t.test('a namespace’s file that cannot be opened', async (t) => {
  t.match(openHint('ENOENT'), /still run/);
  t.match(openHint('EACCES'), /permission to trace that process/);
  t.equal(openHint('EMFILE'), systemHint({ code: 'EMFILE' }));
  t.equal(openHint('ELOOP'), undefined);
});

t.test('a pid file, a state directory, a cgroup, ps', async (t) => {
  t.match(pidFileHint({ code: 'ENOENT' }), /its directory must exist/);
  t.match(pidFileHint({ code: 'EISDIR' }), /must not be a directory itself/);
  t.equal(pidFileHint({ code: 'ENOSPC' }), systemHint({ code: 'ENOSPC' }));
  t.match(whereToWrite('EACCES'), '--root');
  t.equal(whereToWrite('ENOSPC'), undefined);
  const cgroup = t.testdir({ 'cgroup.procs': '7\n9\n' });
  t.equal(removalHint({ code: 'EBUSY' }, cgroup), 'processes still in it: 7, 9');
  t.equal(removalHint({ code: 'EROFS' }, cgroup), systemHint({ code: 'EROFS' }));
  t.match(psHint({ code: 'ENOENT' }), 'procps');
  t.equal(psHint({ code: 'EACCES' }), systemHint({ code: 'EACCES' }));
});

t.test('a hint names what has run out', async (t) => {
  for (const [code, word] of [
    ['ENOMEM', 'memory'],
    ['ENOSPC', 'full'],
    ['EMFILE', 'ulimit -n'],
  ] as const)
    t.match(systemHint({ code }), word);
  t.equal(systemHint({ code: 'EINVAL' }), undefined);
});
