import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CgroupFiles } from '../../../src/cgroup/files.ts';
import { limitsOf, mountsOf } from '../../../src/container/inspect.ts';

t.test('mounts of mountinfo', async (t) => {
  const text = [
    '620 600 0:30 / / rw,relatime - overlay overlay rw,lowerdir=/a',
    '621 620 8:1 /srv/data /my\\040data ro,nosuid shared:1 - ext4 /dev/sda1 rw,errors=remount-ro',
    '',
  ].join('\n');
  t.same(mountsOf(text), [
    { destination: '/', type: 'overlay', source: 'overlay', options: ['rw', 'relatime', 'lowerdir=/a'] },
    {
      destination: '/my data',
      type: 'ext4',
      source: '/dev/sda1[/srv/data]',
      options: ['ro', 'nosuid', 'rw', 'errors=remount-ro'],
    },
  ]);
});

t.test('limits and usage', async (t) => {
  const path = t.testdir({});
  const files: Record<string, string> = {
    'memory.max': '1048576\n',
    'memory.current': '524288\n',
    'memory.events': 'low 0\nmax 3\n',
    'pids.max': 'max\n',
    'pids.current': '2\n',
    'cpu.max': 'max 100000\n',
    'cpu.weight': '100\n',
    'io.max': '8:0 rbps=1 wbps=max\n',
  };
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  t.same(limitsOf(new CgroupFiles(path)), [
    { name: 'memory', file: 'memory.max', used: 524288, limit: 1048576, reached: 3 },
    { name: 'processes', file: 'pids.max', used: 2, limit: null },
    { name: 'CPU time', file: 'cpu.max', used: null, limit: null },
    { name: 'CPU weight', file: 'cpu.weight', used: null, limit: '100' },
    { name: 'I/O', file: 'io.max', used: null, limit: '8:0 rbps=1 wbps=max' },
  ]);
});
