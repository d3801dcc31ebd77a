import t from 'tap';
import { type TreeContainer, treeOf, treeText } from '../../../src/container/tree.ts';
import { styles } from '../../../src/style.ts';

const container = (id: string, cgroup: string | null): TreeContainer => ({
  id,
  status: cgroup === null ? 'stopped' : 'running',
  pid: cgroup === null ? 0 : 7,
  cgroup,
  processes: cgroup === null ? null : 1,
});

t.test('nested containers, shared cgroups and none', async (t) => {
  const nodes = treeOf([
    container('web', '/sys/fs/cgroup/pod/web'),
    container('inner', '/sys/fs/cgroup/pod/web/inner'),
    container('a', '/sys/fs/cgroup/same'),
    container('b', '/sys/fs/cgroup/same'),
    container('lost', null),
  ]);
  t.equal(
    treeText(nodes, styles(false)),
    `/sys/fs/cgroup
├─ pod/web  web running (pid 7, 1 process)
│  └─ inner  inner running (pid 7, 1 process)
└─ same
   ├─ a running (pid 7, 1 process)
   └─ b running (pid 7, 1 process)
(no cgroup of their own)
└─ lost stopped
`.replace('(no cgroup of their own)\n└─ lost stopped', '(no cgroup of their own)  lost stopped'),
  );
  t.equal(treeText(treeOf([]), styles(false)), '');
});
