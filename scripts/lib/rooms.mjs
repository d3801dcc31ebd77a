/**
 * The arrows that imports may draw between the folders of src and the files beside them. From the ground up: a line
 * names what its folder may import, all of it from lines above. scripts/check-imports.mjs holds src to this list, and
 * the list to src: an arrow that no import draws has to go.
 */

/** Open to every folder, and named in no line. They import nothing but each other. */
export const basics = ['close', 'errors', 'generated', 'suggest', 'there', 'write'];

/** @type {Record<string, string[]>} */
export const rooms = {
  'build-info': [],
  'spec-version': [],
  json: [],
  style: [],
  undo: [],
  output: [],
  problem: ['style'],
  log: ['output', 'problem', 'style'],
  addon: ['build-info'],
  linux: [],

  host: ['addon', 'build-info', 'linux'],
  config: ['addon', 'linux', 'log'],
  template: ['addon', 'host', 'linux'],
  seccomp: ['addon', 'build-info', 'host', 'linux', 'log'],
  systemd: ['addon', 'linux', 'log'],
  plan: ['linux', 'style', 'systemd'],
  cgroup: ['addon', 'host', 'linux', 'log', 'systemd'],
  network: ['addon', 'undo'],
  resctrl: ['addon'],
  protobuf: [],
  criu: ['addon', 'protobuf'],

  // Pure: it may name the facts of host/, and gathers none.
  lower: ['config', 'host', 'linux', 'plan', 'systemd'],
  run: ['addon', 'cgroup', 'host', 'linux', 'log', 'network', 'plan', 'resctrl', 'seccomp', 'style', 'systemd', 'undo'],

  check: ['addon', 'build-info', 'config', 'host', 'linux', 'lower', 'seccomp'],
  explain: ['linux', 'style'],
  info: ['build-info', 'check', 'host', 'linux', 'lower', 'seccomp', 'spec-version', 'style', 'template'],
  features: ['build-info', 'criu', 'linux', 'lower', 'spec-version', 'systemd'],
  container: [
    ...['addon', 'cgroup', 'config', 'criu', 'host', 'linux', 'log', 'lower', 'plan', 'resctrl', 'run', 'seccomp'],
    'systemd',
    'style',
    'undo',
  ],
  library: [
    ...['addon', 'check', 'config', 'container', 'features', 'host', 'linux', 'log', 'lower', 'plan', 'seccomp'],
    'template',
  ],
  shim: ['addon', 'build-info', 'container', 'library', 'linux', 'protobuf'],
  cli: [
    ...[
      'addon',
      'build-info',
      'check',
      'config',
      'container',
      'explain',
      'features',
      'host',
      'info',
      'json',
      'linux',
      'log',
      'lower',
    ],
    ...['output', 'plan', 'problem', 'run', 'seccomp', 'spec-version', 'style', 'template'],
  ],
  standalone: ['addon', 'cli'],
};
