/** Mistakes in process and root. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Broken, set, wrong } from './broken.ts';

export const brokenProcesses: Readonly<Record<string, Broken>> = {
  'a string for a number': {
    edit: (spec) => set(spec, '/process/user/uid', '1000'),
    property: /\/process\/user\/uid/,
    wayOut: /must be an integer from 0/,
    marked: /^"1000"$/,
  },
  'a capability without its prefix': {
    edit: (spec) => set(spec, '/process/rlimits/0/type', 'NOFILE'),
    property: /\/process\/rlimits\/0\/type/,
    wayOut: /RLIMIT_NOFILE/,
    marked: /^"NOFILE"$/,
  },
  'a misspelt required property': {
    edit: ({ process }) => {
      Object.assign(process, { arg: process.args });
      Reflect.deleteProperty(process, 'args');
    },
    property: /\/process: required property "args" is missing/,
    wayOut: /is "arg" misspelt/,
    marked: /^\{$/,
  },
  'a relative working directory': {
    edit: (spec) => set(spec, '/process/cwd', 'srv'),
    property: /\/process\/cwd/,
    wayOut: /begin it with \//,
    marked: /^"srv"$/,
  },
  'no program of that name': {
    edit: (spec) => set(spec, '/process/args', ['ngnix']),
    property: /exec: "ngnix": executable file not found/,
    wayOut: /inside the root filesystem/,
    marked: /^"ngnix"$/,
  },
  'a program that may not be executed': {
    edit: (spec, bundle) => {
      writeFileSync(join(bundle, 'rootfs/bin/serve'), '#!/bin/sh\n');
      chmodSync(join(bundle, 'rootfs/bin/serve'), 0o644);
      spec.process.args = ['/bin/serve'];
    },
    property: /exec: "\/bin\/serve": permission denied/,
    wayOut: /chmod \+x/,
    marked: /^"\/bin\/serve"$/,
  },
  'a script whose interpreter is missing': {
    edit: (spec, bundle) => {
      writeFileSync(join(bundle, 'rootfs/bin/script'), '#!/usr/bin/pyton3\n');
      chmodSync(join(bundle, 'rootfs/bin/script'), 0o755);
      spec.process.args = ['/bin/script'];
    },
    property: /\/bin\/script/,
    wayOut: /interpreter/,
    marked: /^"\/bin\/script"$/,
  },
  'a variable without a value': {
    edit: (spec) => set(spec, '/process/env', ['PATH=/bin', 'DEBUG']),
    property: /\/process\/env\/1/,
    wayOut: /NAME=value/,
    marked: /^"DEBUG"$/,
  },
  'a soft limit above the hard one': {
    edit: (spec) => set(spec, '/process/rlimits', [{ type: 'RLIMIT_NOFILE', soft: 20, hard: 10 }]),
    property: /\/process\/rlimits\/0\/soft/,
    wayOut: /must not be above the hard limit 10/,
    marked: /^20$/,
  },
  'an OOM score out of range': {
    edit: (spec) => set(spec, '/process/oomScoreAdj', 5000),
    property: /\/process\/oomScoreAdj/,
    wayOut: /from -1000 to 1000/,
    marked: /^5000$/,
  },
  'no root filesystem': {
    edit: (spec) => set(spec, '/root/path', 'rotfs'),
    property: /\/root\/path: .*rotfs does not exist/,
    wayOut: /did you mean "rootfs"/,
    marked: /^"rotfs"$/,
  },
  'a negative ID': wrong('/process/user/uid', -1, /\/process\/user\/uid/, /from 0 to 4294967295/, /^-1$/),
  'no program at all': wrong('/process/args', [], /\/process\/args/, /must not be empty/, /^\[$|^\[\]$|^\[/),
  'a program as one string': wrong('/process/args', 'true', /\/process\/args/, /did you mean \["true"\]/, /^"true"$/),
  'program and arguments in one string': wrong(
    '/process/args',
    ['echo hello'],
    /echo hello/,
    /items of their own/,
    /^"echo hello"$/,
  ),
  'variables as an object': wrong('/process/env', { PATH: '/bin' }, /\/process\/env/, /as a list/, /^\{$/),
  'a boolean in quotes': wrong(
    '/process/noNewPrivileges',
    'true',
    /\/process\/noNewPrivileges/,
    /true without quotes/,
    /^"true"$/,
  ),
  'an IO class that nobody has': wrong(
    '/process/ioPriority',
    { class: 'IOPRIO_CLASS_BEST', priority: 4 },
    /\/process\/ioPriority\/class/,
    /did you mean "IOPRIO_CLASS_BE"/,
    /IOPRIO_CLASS_BEST/,
  ),
  'an IO priority out of range': wrong(
    '/process/ioPriority',
    { class: 'IOPRIO_CLASS_BE', priority: 9 },
    /\/process\/ioPriority\/priority/,
    /from 0 to 7/,
    /^9$/,
  ),
  'a real-time policy without a priority': wrong(
    '/process/scheduler',
    { policy: 'SCHED_FIFO' },
    /\/process\/scheduler\/priority/,
    /from 1 to 99/,
    /^\{$/,
  ),
  'a working directory that is a file': wrong(
    '/process/cwd',
    '/bin/busybox',
    /\/process\/cwd/,
    /name a directory/,
    /busybox/,
  ),
  'a umask in decimal': wrong('/process/user/umask', 1000, /\/process\/user\/umask/, /octal 0777/, /^1000$/),
  'groups that are no list': wrong(
    '/process/user/additionalGids',
    '10',
    /\/process\/user\/additionalGids/,
    /did you mean \["10"\]/,
    /^"10"$/,
  ),
  'CPUs that are no list of numbers': wrong(
    '/process/execCPUAffinity',
    { initial: '0-' },
    /\/process\/execCPUAffinity/,
    /such as 0-3,7/,
    /^"0-"$/,
  ),
  'no working directory': wrong('/process/cwd', undefined, /required property "cwd"/, /add it, such as "cwd"/, /^\{$/),
  'no root': wrong('/root', undefined, /required property "root"/, /add it, such as "root"/, /^\{$/),
  'a root filesystem that is a file': wrong(
    '/root/path',
    'config.json',
    /\/root\/path/,
    /is relative to the bundle/,
    /config.json/,
  ),
  'a host name that is too long': wrong('/hostname', 'x'.repeat(70), /\/hostname/, /at most 64 bytes/, /^"x+/),
  'a version of another specification': wrong('/ociVersion', '2.0.0', /\/ociVersion/, /a version 1\.x/, /^"2.0.0"$/),
  'a version that is a number': wrong('/ociVersion', 1.2, /\/ociVersion/, /did you mean "1.2"/, /^1.2$/),
};
