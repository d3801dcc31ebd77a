/** The process's user, working directory, capabilities and program, seen from inside. */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, run, runtimeName, runtimePath, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });

/** The value of a line of /proc/PID/status. */
function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
}

function status(box: Sandbox, edit: (spec: Spec) => void): Promise<string> {
  return box.outputOf(['/bin/cat', '/proc/self/status'], edit);
}

t.test('uid, gid and additional gids are exactly those of the config', { skip }, async (t) => {
  // runc refuses IDs that do not fit into 31 bits.
  const large = runtimeName === 'runc' ? 2_000_000_000 : 4_000_000_000;
  const seen = await status(sandbox(t), (spec) => {
    spec.process.user = { uid: 1234, gid: 2345, additionalGids: [7, large] };
  });
  t.equal(field(seen, 'Uid'), '1234\t1234\t1234\t1234');
  t.equal(field(seen, 'Gid'), '2345\t2345\t2345\t2345');
  t.equal(field(seen, 'Groups'), `7 ${large}`);
});

t.test('as many additional gids as the kernel accepts', { skip }, async (t) => {
  const additionalGids = Array.from({ length: 65_536 }, (_, i) => i);
  const edit = (spec: Spec): void => {
    spec.process.user = { uid: 0, gid: 0, additionalGids };
  };
  t.equal((await sandbox(t).outputOf('id -G | wc -w', edit)).trim(), '65536');
});

t.test('without additional gids there are none, whatever the caller has', { skip }, async (t) => {
  t.equal(field(await status(sandbox(t), () => {}), 'Groups'), '');
});

/** As `podman run --group-add keep-groups` asks for it; runc does not have this. */
t.test(
  'an annotation keeps the groups of the caller',
  { skip: requires({ root: true, runtime: ['tsrun', 'crun'], commands: ['setpriv'] }) },
  async (t) => {
    for (const command of ['run', 'exec']) {
      const box = sandbox(t);
      const bundle = box.bundle((spec) => {
        spec.annotations = { 'run.oci.keep_original_groups': '1' };
        spec.process.user = { uid: 1000, gid: 1000, additionalGids: [9] };
        spec.process.args = command === 'run' ? ['/bin/cat', '/proc/self/status'] : ['/bin/sleep', '1000'];
      });
      const id = command === 'exec' ? await box.create(bundle) : box.newId();
      if (command === 'exec') await box.runtimeOk(['start', id]);
      const tail =
        command === 'run' ? ['run', '--bundle', bundle.directory, id] : ['exec', id, '/bin/cat', '/proc/self/status'];
      const { code, stdout, stderr } = await run('setpriv', [
        '--groups',
        '7,4242',
        runtimePath,
        '--root',
        box.root,
        ...tail,
      ]);
      t.equal(code, 0, stderr);
      t.equal(field(stdout, 'Groups'), '7 4242', command);
    }
  },
);

t.test('umask is set, and the caller’s when unset', { skip }, async (t) => {
  const box = sandbox(t);
  const inside = (umask?: number) =>
    box.outputOf('umask', (spec) => {
      if (umask !== undefined) spec.process.user.umask = umask;
    });
  t.equal(await inside(0o027), '0027\n');
  t.equal(await inside(0), '0000\n');
  t.equal(await inside(), `0${process.umask().toString(8).padStart(3, '0')}\n`);
});

t.test('capabilities of root', { skip }, async (t) => {
  const seen = await status(sandbox(t), (spec) => {
    spec.process.capabilities = {
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
      permitted: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
      effective: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'],
      inheritable: ['CAP_KILL'],
    };
  });
  t.equal(field(seen, 'CapBnd'), '0000000000002021');
  t.equal(field(seen, 'CapPrm'), '0000000000002021');
  t.equal(field(seen, 'CapEff'), '0000000000002021');
  t.equal(field(seen, 'CapInh'), '0000000000000020');
  t.equal(field(seen, 'CapAmb'), '0000000000000000');
});

t.test('a user other than root keeps only ambient capabilities through execve', { skip }, async (t) => {
  const names = ['CAP_CHOWN', 'CAP_KILL'];
  const seen = await status(sandbox(t), (spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    spec.process.capabilities = {
      bounding: names,
      permitted: names,
      effective: names,
      inheritable: names,
      ambient: ['CAP_KILL'],
    };
  });
  t.equal(field(seen, 'CapAmb'), '0000000000000020');
  t.equal(field(seen, 'CapPrm'), '0000000000000020');
  t.equal(field(seen, 'CapEff'), '0000000000000020');
  t.equal(field(seen, 'CapBnd'), '0000000000000021');
});

t.test(
  'capabilities that are unknown are left out with a warning',
  { skip: skip || requires({ runtime: 'tsrun' }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/grep', 'CapBnd', '/proc/self/status'];
      spec.process.capabilities = { bounding: ['CAP_KILL', 'CAP_SPARKLE'] };
    });
    const { code, stdout, stderr } = await box.runtime([
      '--log-level',
      'warning',
      'run',
      '--bundle',
      bundle.directory,
      box.newId(),
    ]);
    t.equal(code, 0);
    t.equal(stdout, 'CapBnd:\t0000000000000020\n');
    t.match(stderr, 'CAP_SPARKLE');
  },
);

t.test('noNewPrivileges true and false', { skip }, async (t) => {
  const box = sandbox(t);
  const inside = async (noNewPrivileges: boolean) => {
    const seen = await status(box, (spec) => {
      spec.process.noNewPrivileges = noNewPrivileges;
    });
    return field(seen, 'NoNewPrivs');
  };
  t.equal(await inside(true), '1');
  t.equal(await inside(false), '0');
});

t.test(
  'HOME comes from /etc/passwd of the container when env has none',
  { skip: skip || requires({ runtime: 'tsrun' }) },
  async (t) => {
    const box = sandbox(t);
    const home = async (
      edit: (spec: Spec) => void,
      passwd = 'root:x:0:0::/root:/bin/sh\nme:x:1000:1000:Me:/home/me:\n',
    ) => {
      const bundle = box.bundle((spec) => {
        spec.process.args = ['/bin/sh', '-c', 'echo "$HOME"'];
        edit(spec);
      });
      bundle.addFile('etc/passwd', passwd);
      return (await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout;
    };
    const asUser = (spec: Spec) => {
      spec.process.user = { uid: 1000, gid: 1000 };
    };
    t.equal(await home(() => {}), '/root\n');
    t.equal(await home(asUser), '/home/me\n');
    t.equal(await home(asUser, 'other:x:10001000:1000:::\n'), '/\n', 'no such user');
    t.equal(
      await home((spec) => {
        spec.process.env.push('HOME=/from/env');
      }),
      '/from/env\n',
    );
    t.equal(
      await home((spec) => {
        spec.process.env.push('HOME=/from/env', 'HOME=');
      }),
      '/root\n',
      'an empty one counts as none',
    );
  },
);

t.test('env is as in the config; of two entries with one name the later counts', { skip }, async (t) => {
  const seen = await sandbox(t).outputOf(['/bin/env'], (spec) => {
    spec.process.env = ['PATH=/bin', 'A=1', 'B=with = and spaces', 'HOME=/', 'A=2', 'EMPTY='];
  });
  t.same(seen.trim().split('\n').sort(), ['A=2', 'B=with = and spaces', 'EMPTY=', 'HOME=/', 'PATH=/bin']);
});

t.test('cwd is made if it is missing, and may be a symlink inside the container', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/pwd', '-P'];
    spec.process.cwd = '/made/on/the/way';
  });
  const run = async () => (await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout;
  t.equal(await run(), '/made/on/the/way\n');
  mkdirSync(join(bundle.rootfs, 'real'));
  // An absolute target is relative to the container's root; the host has no such directory.
  symlinkSync('/real', join(bundle.rootfs, 'link'));
  bundle.edit((spec) => {
    spec.process.cwd = '/link';
  });
  t.equal(await run(), '/real\n');
});

t.test('cwd cannot lead out of the container', { skip }, async (t) => {
  const box = sandbox(t);
  // CVE-2024-21626: a descriptor of the runtime that refers to a directory of the host.
  const descriptors = ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/self/fd/9'];
  // These lead back into the container, and runc and crun follow them; tsrun follows no such link at all.
  const others = runtimeName === 'tsrun' ? ['/proc/1/cwd', '/proc/1/root'] : [];
  for (const cwd of [...descriptors, ...others]) {
    const { code, stdout } = await box.runContainer(['/bin/ls', '..'], (spec) => {
      spec.process.cwd = cwd;
    });
    t.not(code, 0, cwd);
    t.equal(stdout, '', cwd);
  }
});

t.test('a cwd that is not a directory or not absolute is refused', { skip }, async (t) => {
  const box = sandbox(t);
  const refused = async (cwd: string) => {
    const { code, stderr } = await box.runContainer(['/bin/true'], (spec) => {
      spec.process.cwd = cwd;
    });
    t.not(code, 0, cwd);
    return stderr;
  };
  t.match(await refused('/bin/sh'), runtimeName === 'tsrun' ? /: \/process\/cwd: / : /./);
  // crun takes a relative path as relative to the root.
  if (runtimeName !== 'crun') t.match(await refused('bin'), /cwd/i);
});

/** Runs these args with this PATH (null: none); returns the exit code and the output. */
async function find(box: Sandbox, args: string[], path: string | null, cwd = '/') {
  const bundle = box.bundle((spec) => {
    spec.process.args = args;
    spec.process.cwd = cwd;
    spec.process.env = path === null ? [] : [`PATH=${path}`];
  });
  bundle.addFile('opt/tool', '#!/bin/sh\necho found by $0\n', 0o755);
  bundle.addFile('opt/plain', '#!/bin/sh\n', 0o644);
  bundle.addFile('opt/sub/plain', '#!/bin/sh\necho the one that can be run\n', 0o755);
  return box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
}

t.test('args[0] is looked up as execvp does', { skip: skip || requires({ runtime: 'tsrun' }) }, async (t) => {
  const box = sandbox(t);
  const found = async (...how: [string[], string | null, string?]) => (await find(box, ...how)).stdout;
  t.equal(await found(['tool'], '/bin:/opt'), 'found by /opt/tool\n');
  t.equal(await found(['/opt/tool'], ''), 'found by /opt/tool\n', 'an absolute path needs no PATH');
  t.equal(await found(['./tool'], '/bin', '/opt'), 'found by ./tool\n', 'a relative path counts from cwd');
  t.equal(await found(['opt/tool'], '/bin'), 'found by opt/tool\n');
  t.equal(await found(['tool'], '', '/opt'), 'found by ./tool\n', 'an empty PATH is cwd');
  t.equal(await found(['tool'], '/bin:', '/opt'), 'found by ./tool\n', 'and so is an empty entry');
  t.equal(await found(['plain'], '/opt:/opt/sub'), 'the one that can be run\n', 'what cannot be run is passed over');
  t.equal(await found(['sub'], '/opt:/bin', '/opt'), '', 'a directory is no program');
  t.equal(await found(['echo', 'hi'], null), 'hi\n', 'without PATH the system directories are searched');
});

t.test(
  'a program that cannot be run is an error of create, in the words engines look for',
  { skip: skip || requires({ runtime: 'tsrun' }) },
  async (t) => {
    const box = sandbox(t);
    const said = async (...how: [string[], string | null, string?]) => (await find(box, ...how)).stderr;
    t.match(await said(['nothing'], '/bin:/opt'), 'exec: \\"nothing\\": executable file not found in $PATH');
    t.match(await said(['/opt/nothing'], '/bin'), 'exec: \\"/opt/nothing\\": no such file or directory');
    t.match(await said(['/opt'], '/bin'), 'exec: \\"/opt\\": is a directory');
    t.match(await said(['plain'], '/opt'), 'exec: \\"plain\\": permission denied');
    t.match(await said(['/opt/plain'], '/opt'), /exec: \\"\/opt\/plain\\": permission denied .*chmod \+x/);
  },
);

t.test(
  'without a process create works and start does not',
  { skip: skip || requires({ runtime: 'tsrun' }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      delete (spec as { process?: unknown }).process;
      // Not even a startContainer hook may run.
      spec.hooks = { startContainer: [{ path: '/bin/touch', args: ['touch', '/started'] }] };
    });
    const id = await box.create(bundle);
    t.match(await box.state(id), { status: 'created' });
    const { code, stderr } = await box.runtime(['start', id]);
    t.equal(code, 1);
    t.match(stderr, '/process: required by start');
    t.notOk(bundle.has('started'));
    t.match(await box.state(id), { status: 'created' });
    await box.runtimeOk(['delete', '--force', id]);
  },
);

t.test('a capability over file modes finds what execve finds', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    const { process } = spec;
    process.user = { uid: 1000, gid: 1000 };
    process.cwd = '/closed';
    process.args = ['/closed/tool'];
    const more = ['CAP_DAC_OVERRIDE'];
    process.capabilities = { bounding: more, effective: more, permitted: more, inheritable: more, ambient: more };
    spec.hooks = { startContainer: [{ path: '/closed/tool' }] };
  });
  bundle.addFile('closed/tool', '#!/bin/sh\npwd\n', 0o700);
  chmodSync(join(bundle.rootfs, 'closed'), 0o700);
  const { code, stdout, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.match({ code, stdout, stderr }, { code: 0, stdout: '/closed\n' });
  bundle.edit(({ process }) => delete process.capabilities);
  const refused = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.not(refused.code, 0);
  t.match(refused.stderr, /permission denied/i);
});
