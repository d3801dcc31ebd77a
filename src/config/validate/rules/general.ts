/** The document as a whole: version, root, names, hooks, annotations (config.md). */
import type { Hook, Hooks, Spec } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';
import { environmentProblems } from './process.ts';
import { mustBeAbsolute, needsNamespace, type Rule, when } from './rule.ts';

/** Semantic Versioning 2.0.0, with the major version in its first group. */
const semVer = /^(0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** The most bytes of a host or domain name in the kernel (uname(2), __NEW_UTS_LEN). */
const maxUtsName = 64;

export const generalErrors: Rule[] = [
  {
    // Within a major version the specification is compatible both ways, so no minor version may be refused.
    name: 'oci-version',
    reads: ['/ociVersion'],
    check: ({ ociVersion }) => {
      const major = semVer.exec(ociVersion)?.[1];
      if (major === '1') return [];
      const wrong =
        major === undefined ? 'must be a SemVer version such as 1.3.0' : 'must be a version 1.x of the specification';
      return [{ pointer: '/ociVersion', message: `${wrong}, found ${show(ociVersion)}` }];
    },
  },
  {
    name: 'root-path-empty',
    reads: ['/root'],
    check: ({ root }) => when(root?.path === '', '/root/path', 'must not be empty', 'usually it is "rootfs"'),
  },
  {
    name: 'hostname',
    reads: ['/hostname', '/linux/namespaces'],
    check: (spec) => utsName(spec, spec.hostname, '/hostname'),
  },
  {
    name: 'domainname',
    reads: ['/domainname', '/linux/namespaces'],
    check: (spec) => utsName(spec, spec.domainname, '/domainname'),
  },
  {
    name: 'hook-path-absolute',
    reads: ['/hooks'],
    check: ({ hooks }) => eachHook(hooks, ({ path }, at) => mustBeAbsolute(path, `${at}/path`)),
  },
  {
    name: 'hook-environment',
    reads: ['/hooks'],
    check: ({ hooks }) => eachHook(hooks, ({ env = [] }, at) => environmentProblems(env, `${at}/env`)),
  },
  {
    name: 'annotation-name-empty',
    reads: ['/annotations'],
    check: ({ annotations = {} }) => when(Object.hasOwn(annotations, ''), '/annotations', 'a name must not be empty'),
  },
];

function utsName(spec: Spec, name: string | undefined, pointer: string): Problem[] {
  if (name === undefined || name === '') return [];
  const bytes = Buffer.byteLength(name);
  return [
    ...needsNamespace(spec, 'uts', pointer),
    ...when(bytes > maxUtsName, pointer, `must have at most ${maxUtsName} bytes, has ${bytes}`),
  ];
}

function eachHook(hooks: Hooks | undefined, check: (hook: Hook, pointer: string) => Problem[]): Problem[] {
  const lists = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
  return lists.flatMap((list) => {
    return (hooks?.[list] ?? []).flatMap((hook, index) => check(hook, `/hooks/${list}/${index}`));
  });
}
