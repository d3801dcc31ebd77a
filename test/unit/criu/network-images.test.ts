import t from 'tap';
import { hasOnlyDefaults } from '../../../src/criu/network-images.ts';

/** What iproute2 6.18 has written of a new network namespace (Linux 6.18). */
const rules = [
  '34000000 20000200ae7a0d6be0020000 02000000ff00000100000000 08000f00ff000000 08000e00ffffffff 0500150002000000',
  '3c000000 20000200ae7a0d6be0020000 02000000fe00000100000000 08000f00fe000000 08000e00ffffffff 0500150002000000 08000600fe7f0000',
  '3c000000 20000200ae7a0d6be0020000 02000000fd00000100000000 08000f00fd000000 08000e00ffffffff 0500150002000000 08000600ff7f0000',
];
const addresses = [
  '4c000000 14000200ae7a0d6bdd020000 020880fe01000000 080001007f000001 080002007f000001 070003006c6f0000 0800080080000000 14000600ffffffffffffffff3a4601003a460100',
  '50000000 14000200ae7a0d6bdd020000 0a8080fe01000000 1400010000000000000000000000000000000001 14000600ffffffffffffffff3a4601003a460100 0800080080000000 05000b0001000000',
];
const magic = { rule: '86697071', ifaddr: '22123647', route: '24123145' };

function image(kind: keyof typeof magic, messages: readonly string[]): Buffer {
  return Buffer.from([magic[kind], ...messages].join('').replaceAll(' ', ''), 'hex');
}

/** The messages with a part of one of them replaced, which must be there. */
function changed(messages: readonly string[], index: number, from: string, to: string): string[] {
  if (!messages[index]?.includes(from)) throw new Error(`no ${from} in message ${index}`);
  return messages.map((each, at) => (at === index ? each.replace(from, to) : each));
}

t.test('a new namespace has nothing else', async (t) => {
  t.ok(hasOnlyDefaults('rule', image('rule', rules)));
  t.ok(hasOnlyDefaults('ifaddr', image('ifaddr', addresses)));
  for (const kind of ['route', 'route6']) t.ok(hasOnlyDefaults(kind, image('route', [])), kind);
  for (const kind of ['iptables', 'ip6tables']) t.ok(hasOnlyDefaults(kind, Buffer.alloc(0)), kind);
});

t.test('any other rule, and a missing one, count', async (t) => {
  for (const [name, messages] of Object.entries({
    none: [],
    'one less': rules.slice(0, 2),
    'one more': [...rules, rules[2] as string],
    'another order': [rules[1], rules[0], rules[2]] as string[],
    'of IPv6': changed(rules, 0, '02000000ff', '0a000000ff'),
    'for a destination': changed(rules, 0, '02000000ff', '02200000ff'),
    'for a type of service': changed(rules, 0, '02000000ff', '02000010ff'),
    'another action': changed(rules, 1, '00000100000000', '00000600000000'),
    'a flag': changed(rules, 1, '0100000000', '0102000000'),
    'another table': changed(rules, 1, '08000f00fe', '08000f0064'),
    'another priority': changed(rules, 2, '08000600ff7f', '08000600fe7f'),
    'a shorter prefix ignored': changed(rules, 2, '08000e00ffffffff', '08000e0000000000'),
    'made by a program': changed(rules, 2, '0500150002', '0500150003'),
    'a mark': changed(rules, 2, '3c000000', '44000000').map((each, at) =>
      at === 2 ? `${each} 08000a0001000000` : each,
    ),
    'of another kind': changed(rules, 0, ' 2000', ' 2100'),
  })) {
    t.notOk(hasOnlyDefaults('rule', image('rule', messages)), name);
  }
});

t.test('any other address, and a missing one, count', async (t) => {
  for (const [name, messages] of Object.entries({
    none: [],
    'only IPv4': addresses.slice(0, 1),
    'only IPv6': addresses.slice(1),
    'one more': [...addresses, addresses[0] as string],
    'another one': changed(addresses, 0, '080002007f000001', '080002007f000002'),
    'the other end’s': changed(addresses, 0, '080001007f000001', '080001007f000002'),
    'another length': changed(addresses, 0, '020880', '022080'),
    'another interface': changed(addresses, 0, 'fe01000000', 'fe02000000'),
    'another scope': changed(addresses, 0, '0880fe', '088000'),
    'another label': changed(addresses, 0, '070003006c6f00', '070003006c6f78'),
    'for a while': changed(addresses, 1, 'ffffffffffffffff', 'ffffffff10000000'),
    'a flag': changed(addresses, 1, '0800080080000000', '0800080084000000'),
    'with a broadcast address': changed(addresses, 0, '4c000000', '54000000').map((each, at) =>
      at === 0 ? `${each} 080004007fffffff` : each,
    ),
  })) {
    t.notOk(hasOnlyDefaults('ifaddr', image('ifaddr', messages)), name);
  }
});

t.test('what is no list of messages counts', async (t) => {
  t.notOk(hasOnlyDefaults('route', image('route', addresses)), 'routes');
  for (const kind of ['iptables', 'ip6tables']) t.notOk(hasOnlyDefaults(kind, Buffer.from('*filter\n')), kind);
  for (const kind of ['rule', 'ifaddr'] as const) {
    const whole = image(kind, kind === 'rule' ? rules : addresses);
    for (let length = 0; length < whole.length; length++) {
      t.notOk(hasOnlyDefaults(kind, whole.subarray(0, length)), `${kind}: ${length} bytes`);
    }
  }
  t.notOk(hasOnlyDefaults('route', Buffer.alloc(0)), 'no magic number');
});
