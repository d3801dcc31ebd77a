/** The device filter that most containers have is loaded once and pinned in a bpffs; a forged one is not used. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cHelper, requires, run, runtimePath, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({
  root: true,
  runtime: 'tsrun',
  cgroup2: true,
  deviceFilter: true,
  commands: ['unshare', 'strace', 'gcc'],
});

/** Prints whether kmsg, 1:11, which no rule allows, can be opened. */
const looks = 'mknod /dev/k c 1 11; (: > /dev/k) 2>/dev/null && echo open || echo refused; : > /dev/null && echo null';

function mayMakeNodes(spec: Spec): void {
  spec.process.args = ['/bin/sh', '-c', looks];
  spec.process.noNewPrivileges = false;
  for (const set of ['bounding', 'effective', 'permitted'] as const) {
    spec.process.capabilities = { ...spec.process.capabilities };
    spec.process.capabilities[set] = [...(spec.process.capabilities[set] ?? []), 'CAP_MKNOD'];
  }
}

/** Runs a script with a bpffs of its own. `$RUN` is a `tsrun run` whose calls of bpf(2) are logged in ./calls. */
async function inBpffs(box: Sandbox, script: string, edit: (spec: Spec) => void = () => undefined) {
  const bundle = box.bundle((spec) => {
    mayMakeNodes(spec);
    edit(spec);
  });
  const calls = join(box.directory, 'calls');
  const trace = `strace -f -e trace=bpf -o ${calls}`;
  const RUN = `${trace} ${runtimePath} --root ${box.root} run --bundle ${bundle.directory} ${box.newId()}`;
  const whole = `mount -t bpf bpf /sys/fs/bpf && cd /sys/fs/bpf && ${script}`;
  const result = await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', whole], {
    env: { ...process.env, RUN, PIN: cHelper('pin-program') },
  });
  return { ...result, calls: () => readFileSync(calls, 'utf8') };
}

const works = 'refused\nnull\n';

t.test('two containers share one program, which nobody else may see', { skip }, async (t) => {
  const box = sandbox(t);
  const { code, stdout, stderr, calls } = await inBpffs(
    box,
    '$RUN; stat -c %a:%u tsrun; ls tsrun | wc -l; $RUN; ls tsrun | wc -l',
  );
  t.match({ code, stdout, stderr }, { code: 0, stdout: `${works}700:0\n1\n${works}1\n`, stderr: '' });
  t.match(calls(), 'BPF_PROG_ATTACH');
  t.notMatch(calls(), 'BPF_PROG_LOAD', 'the second has loaded none');
});

t.test('a container’s own rules leave nothing behind', { skip }, async (t) => {
  const own = (spec: Spec) => {
    spec.linux.resources = { devices: [{ allow: true, type: 'c', major: 7, minor: 7, access: 'r' }] };
  };
  const { code, stdout, calls } = await inBpffs(sandbox(t), '$RUN; ls -A', own);
  t.match({ code, stdout }, { code: 0, stdout: works });
  t.match(calls(), 'BPF_PROG_LOAD');
});

t.test('another program that is pinned in its place is not used', { skip }, async (t) => {
  for (const type of ['', ' socket']) {
    const script = `$RUN; pin=$(echo tsrun/*); rm $pin; $PIN $PWD/$pin${type}; $RUN; ls tsrun | wc -l`;
    const { code, stdout, stderr, calls } = await inBpffs(sandbox(t), script);
    t.match({ code, stdout }, { code: 0, stdout: `${works}${works}1\n` }, type);
    t.match(stderr, /level=warning msg=".*sys\/fs\/bpf\/tsrun is not the device filter/);
    t.match(calls(), 'BPF_PROG_LOAD');
  }
});

t.test('a directory in which others could pin is not used', { skip }, async (t) => {
  const places = [
    'chmod 711 tsrun',
    'chown 1000 tsrun',
    'chmod 0777 .',
    'chown 1000 .',
    'mount -t tmpfs -o mode=700 tmpfs tsrun',
    'mv tsrun other; ln -s other tsrun',
  ];
  for (const place of places) {
    const { code, stdout, stderr, calls } = await inBpffs(sandbox(t), `$RUN; ${place}; $RUN`);
    t.match({ code, stdout, stderr }, { code: 0, stdout: `${works}${works}`, stderr: '' }, place);
    t.match(calls(), 'BPF_PROG_LOAD', place);
    t.notMatch(calls(), 'BPF_OBJ_GET,', place);
  }
});
