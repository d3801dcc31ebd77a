/** Configs that differ from the default one; each figure is a `run` of a program that does nothing. */
import { seccompProfile } from './bundles.mjs';

/** Sets the seccomp profile. */
const profile = (spec) => {
  spec.linux.seccomp = seccompProfile;
};

/** Edits of the default config, by the figure's name. */
const shapes = {
  'run, seccomp profile': profile,
  // A different one each time, so that no runtime has it compiled already.
  'run, seccomp profile not seen before': (spec, id) => {
    const known = {
      names: ['getpid'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 5, value: hashOf(id), op: 'SCMP_CMP_EQ' }],
    };
    spec.linux.seccomp = { ...seccompProfile, syscalls: [...seccompProfile.syscalls, known] };
  },
  "run, config as the kubelet's CRI writes it": kubelet,
  'run, the same with one warning': (spec) => {
    kubelet(spec);
    spec.process.capabilities.bounding.push('CAP_NOBODY');
  },
  'run, config as crun spec writes it': (spec) => {
    // Three ambient capabilities that are not inheritable, and a console size without a terminal.
    const three = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
    const none = { inheritable: [], ambient: three };
    spec.process.capabilities = { bounding: three, effective: three, permitted: three, ...none };
    spec.process.consoleSize = { height: 24, width: 80 };
  },
  'run, 200 bind mounts': (spec) => {
    const source = sourceOf(spec);
    for (let i = 0; i < 200; i++) {
      spec.mounts.push({ destination: `/tmp/m${i}`, source, type: 'bind', options: ['rbind', 'ro', 'nosuid'] });
    }
  },
  'run, 400 variables': (spec) => {
    for (let i = 0; i < 400; i++) spec.process.env.push(`VARIABLE_${i}=value of ${i}`);
  },
  'run, 102 devices, as podman --privileged': (spec) => {
    spec.linux.devices = Array.from({ length: 102 }, (_, i) => {
      return { path: `/dev/ours${i}`, type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 };
    });
    spec.linux.resources = { devices: [{ allow: true, access: 'rwm' }] };
    spec.linux.maskedPaths = [];
    spec.linux.readonlyPaths = [];
  },
};

/** 20 mounts, 60 variables, annotations, a profile: 23 KB. */
function kubelet(spec) {
  profile(spec);
  const source = sourceOf(spec);
  for (let i = 0; i < 12; i++) {
    spec.mounts.push({ destination: `/tmp/k${i}`, source, type: 'bind', options: ['rbind', 'rprivate', 'rw'] });
  }
  for (let i = 0; i < 60; i++) spec.process.env.push(`SERVICE_${i}_PORT=tcp://10.96.0.${i}:443`);
  for (let i = 0; i < 10; i++) spec.annotations[`io.kubernetes.cri.container-${i}`] = `value-${i}`;
  spec.linux.resources = { ...spec.linux.resources, ...{ devices: [{ allow: false, access: 'rwm' }] } };
}

/** A directory without mounts below it: otherwise each copy of the benchmark's mounts would be copied in turn. */
function sourceOf(spec) {
  return `${spec.root.path}/etc`;
}

function hashOf(text) {
  return [...text].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 2 ** 31, 7);
}

/** A figure for each shape. */
export const runsOfShapes = Object.entries(shapes).map(([name, edit]) => {
  return async ({ timer, runtime, bundles, id }) => {
    const bundle = bundles.make('bundle', id, ['/bin/true'], (spec) => edit(spec, id));
    return { [name]: await timer.time([...runtime, 'run', '--bundle', bundle, id]) };
  };
});
