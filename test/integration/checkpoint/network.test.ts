/** Addresses, routes and rules of the container's network namespace after a restore. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { requires, sandbox } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

/** Runs `ip` in the container's network namespace. */
async function ip({ box, env }: Checkpoints, id: string, args: string): Promise<string> {
  const { pid } = await box.state(id);
  const command = [`--net=/proc/${pid}/ns/net`, 'ip', ...args.split(' ')];
  const { code, stdout, stderr } = await box.startProgram('nsenter', command, { env }).done;
  if (code !== 0) throw new Error(`ip ${args}: ${stderr}`);
  return stdout;
}

async function networkOf(at: Checkpoints, id: string): Promise<string> {
  const questions = ['-o addr', 'route show table all', '-6 route show table all', 'rule'];
  const answers = [];
  for (const question of questions) answers.push(await ip(at, id, question));
  return answers.join('');
}

/** What CRIU saves of it that every new namespace has by itself: the images of these are left out. */
const kinds = ['ifaddr', 'ip6tables', 'iptables', 'route', 'route6', 'rule'];

for (const [name, changes, kept] of [
  ['a new one', [], []],
  ['an address', ['addr add 10.9.8.7/24 dev lo'], ['ifaddr']],
  ['a route', ['route add 10.1.0.0/16 dev lo'], ['route']],
  ['a route for IPv6', ['-6 route add fd00:1::/64 dev lo'], ['route6']],
  ['a rule', ['rule add from 10.1.2.3 table 100'], ['rule']],
  ['a rule less', ['rule del priority 32767'], ['rule']],
  [
    'a usual rule with a condition',
    ['rule del priority 32766', 'rule add from 10.1.2.3 table main priority 32766'],
    ['rule'],
  ],
] as const) {
  t.test(`a network namespace: ${name}`, { skip }, async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    const bundle = at.bundle();
    const id = await at.start(bundle);
    for (const change of changes) await ip(at, id, change);
    const before = await networkOf(at, id);
    await at.checkpoint(id);
    const saved = witness(bundle) as Witness;
    const images = readdirSync(at.images()).map((each) => each.replace(/-\d+\.img$/, ''));
    t.same(images.filter((each) => kinds.includes(each)).sort(), kept, 'images');
    const restored = await at.restore(bundle);
    await at.goesOn(bundle, saved);
    t.equal(await networkOf(at, restored), before);
  });
}
