/**
 * Which folders of src, and files beside them, may import which others. From the ground up: each line names what a
 * folder may import, all of it from lines above. scripts/check-imports.mjs enforces the list, and refuses entries that
 * no import uses.
 */

/** Every folder may import these, so no line names them. They import only each other. */
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
  criu: ['addon', 'network', 'protobuf'],

  // Pure: it uses the facts of host/ and gathers none.
  lower: ['config', 'host', 'linux', 'plan', 'systemd'],
  run: ['addon', 'cgroup', 'host', 'linux', 'log', 'network', 'plan', 'resctrl', 'seccomp', 'style', 'systemd', 'undo'],

  check: ['addon', 'build-info', 'config', 'host', 'linux', 'lower', 'seccomp'],
  explain: ['config', 'linux', 'style'],
  info: ['build-info', 'check', 'host', 'linux', 'lower', 'seccomp', 'spec-version', 'style', 'template'],
  features: ['build-info', 'criu', 'linux', 'lower', 'spec-version', 'systemd'],
  container: [
    ...['addon', 'cgroup', 'config', 'criu', 'host', 'linux', 'log', 'lower', 'plan', 'resctrl', 'run', 'seccomp'],
    'systemd',
    'style',
    'undo',
  ],
  library: [
    ...[
      'addon',
      'cgroup',
      'check',
      'config',
      'container',
      'features',
      'host',
      'linux',
      'log',
      'lower',
      'plan',
      'seccomp',
    ],
    'template',
  ],
  shim: ['addon', 'build-info', 'container', 'host', 'library', 'linux', 'protobuf'],
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
  standalone: ['addon', 'cli', 'config', 'host', 'lower', 'plan', 'template'],
};
