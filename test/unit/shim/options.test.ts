/** The options of a caller: runc's message, and tables of TOML. */
import t from 'tap';
import { encode } from '../../../src/protobuf/wire.ts';
import { runcOptions, runtimeOptions } from '../../../src/shim/messages.ts';
import { shimOptions } from '../../../src/shim/options.ts';
import { readTable } from '../../../src/shim/settings.ts';

const runc = (options: object) =>
  shimOptions({ type_url: 'containerd.runc.v1.Options', value: encode(runcOptions, options) });
const body = (text: string) =>
  shimOptions({
    type_url: 'runtimeoptions.v1.Options',
    value: encode(runtimeOptions, { config_body: Buffer.from(text) }),
  });

t.test('none', async (t) => {
  const seen = shimOptions({});
  t.match(seen, { grouping: 'node', root: '', noPivot: false, noNewKeyring: false, systemdCgroup: undefined });
});

t.test('those of runc', async (t) => {
  const seen = runc({ root: '/run/x', systemd_cgroup: true, no_pivot_root: true, no_new_keyring: true, io_uid: 5 });
  t.match(seen, { root: '/run/x', systemdCgroup: true, noPivot: true, noNewKeyring: true, ioUid: 5, ioGid: 0 });
  t.ok(runc({ binary_name: '/usr/local/bin/tsrun' }));
  t.throws(() => runc({ binary_name: '/usr/sbin/runc' }), { message: /BinaryName: \/usr\/sbin\/runc; this shim is/ });
  t.throws(() => runc({ shim_cgroup: '/x' }), { message: /ShimCgroup: \/x; one process serves many/ });
  t.throws(() => shimOptions({ type_url: 'containerd.runhcs.v1.Options', value: Buffer.from('x') }), /of the type/);
});

t.test('a table', async (t) => {
  const text = '# as containerd writes it\nBinaryName = ""\nSystemdCgroup = true\n"IoUid" = 100_000\n';
  t.throws(() => body(text), { message: 'options:4: no line NAME = VALUE: "IoUid" = 100_000' });
  const seen = body('# c\n\n grouping = \'pod\' # c\nsystemdcgroup = false\nRoot = "/run/\\u0041"\n"IoUid" = 7\n');
  t.match(seen, { grouping: 'pod', systemdCgroup: false, root: '/run/A', ioUid: 7 });
  const file = t.testdir({ 'shim.toml': 'Grouping = "namespace"\nRoot = "/run/b"\n' });
  const value = encode(runtimeOptions, { config_path: `${file}/shim.toml`, config_body: Buffer.from('Root = "/c"') });
  t.match(shimOptions({ type_url: 'runtimeoptions.v1.Options', value }), { grouping: 'namespace', root: '/c' });
});

t.test('mistakes in a table', async (t) => {
  for (const [text, message] of [
    ['Groping = "pod"', 'option Groping: unknown; did you mean "Grouping"?'],
    ['Zzz = 1', /option Zzz: unknown; known are Grouping, Root/],
    ['Grouping = "host"', 'option Grouping: host is none of node, namespace, pod'],
    ['SystemdCgroup = "true"', 'option SystemdCgroup: "true" is no boolean'],
    ['[a]', 'options:1: no line NAME = VALUE: [a]'],
    ['Root = "\\q"', /options:1: no line/],
  ] as const)
    t.throws(() => body(text), { message }, text);
  t.same(readTable('a = -1\r\nb = "x = y # z"\r\n', ''), { a: -1, b: 'x = y # z' });
});
