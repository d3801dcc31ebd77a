import t from 'tap';
import { parseBytes, updateOptions, withResourceOptions } from '../../../src/cli/resource-options.ts';

t.test('sizes', async (t) => {
  const sizes: [string, number][] = [
    ['0', 0],
    ['-1', -1],
    ['1048576', 1_048_576],
    ['512M', 536_870_912],
    ['512mb', 536_870_912],
    ['1.5GiB', 1_610_612_736],
    ['1 k', 1024],
    ['7b', 7],
  ];
  for (const [text, bytes] of sizes) t.equal(parseBytes(text), bytes, text);
  for (const text of ['', '-2', 'M', '1x', '1e3', '0x10', '1 2'])
    t.throws(() => parseBytes(text), /expected a size/, text);
});

t.test('options go to their places in linux.resources, and override a file', async (t) => {
  const file = { memory: { limit: 1, swap: 2 }, unified: { 'memory.high': '3' } };
  t.strictSame(withResourceOptions(file, { memory: 5, cpuShare: 7, cpusetCpus: '0', pidsLimit: 0, kernelMemory: 1 }), {
    memory: { limit: 5, swap: 2, kernel: 1 },
    cpu: { shares: 7, cpus: '0' },
    pids: { limit: 0 },
    unified: { 'memory.high': '3' },
  });
});

t.test('a bad value is an error that names its option', async (t) => {
  const parse = updateOptions.find(({ flags }) => flags.startsWith('--pids-limit'))?.parse;
  t.throws(() => parse?.('many'), /^--pids-limit: expected a number, found "many"/);
});
