#!/usr/bin/env node
/**
 * `npm run release`: everything that is handed out, into build/release, of what is built: tarballs and Debian packages
 * for each architecture, the npm package, the page of the library's functions, a list of what is inside (SPDX 2.3) and
 * SHA256SUMS. The same executables and the same commit make the same bytes.
 *
 * `node scripts/release.mjs [DIRECTORY]`: into another directory, for the architectures that are built.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fail, inRoot, root } from './lib/paths.mjs';
import { contentsOf } from './lib/spdx.mjs';

const { version, description } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
/** Seconds; the one time that stands in everything. */
const time = execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim();
const architectures = [
  { name: 'x64', debian: 'amd64', build: inRoot('build') },
  { name: 'arm64', debian: 'arm64', build: inRoot('build/aarch64') },
].filter(({ build }) => existsSync(path.join(build, 'standalone/tsrun')));

/** containerd's shim, as scripts/install.sh and addon/shim expect it. */
const shim = {
  bundles: ['shim.mjs', 'shim-engine.mjs', 'library-worker.cjs'],
  native: ['tsrun.node', 'tsrun-shim-keeper', 'containerd-shim-tsrun-v2'],
};

const out = path.resolve(process.argv[2] ?? inRoot('build/release'));
const work = mkdtempSync(path.join(tmpdir(), 'tsrun-release-'));
try {
  release();
} finally {
  rmSync(work, { recursive: true });
}

function release() {
  if (architectures.length === 0) fail('nothing is built: npm run setup && npm run build');
  const native = architectures.flatMap(({ build }) => shim.native.map((file) => path.join(build, 'Release', file)));
  const missing = [...shim.bundles.map((file) => inRoot('build', file)), ...native].filter((file) => !existsSync(file));
  if (missing.length > 0) fail(`not built: ${missing.join(', ')}: npm run setup && npm run build`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const architecture of architectures) {
    const tree = layTree(architecture);
    packTarball(tree);
    packDebian(architecture, tree);
  }
  run('npm', ['pack', '--silent', '--pack-destination', out], root);
  run('node', [inRoot('scripts/lib/api-page.mjs')], root);
  copyFileSync(inRoot('build/api.md'), path.join(out, `tsrun-${version}-library.md`));
  writeFileSync(path.join(out, `tsrun-${version}.spdx.json`), contentsOf(version, Number(time)));
  writeSums();
  for (const name of readdirSync(out)) console.log(path.join(out, name));
}

/** The unpacked tarball, which scripts/install.sh expects around it. */
function layTree({ name, build }) {
  const tree = path.join(work, `tsrun-${version}-linux-${name}`);
  for (const directory of ['completions', 'docs', 'shim/Release'])
    mkdirSync(path.join(tree, directory), { recursive: true });
  const programs = { tsrun: path.join(build, 'standalone/tsrun'), 'install.sh': 'scripts/install.sh' };
  const files = { 'tsrun.1': 'docs/man/tsrun.1' };
  for (const file of shim.bundles) files[`shim/${file}`] = `build/${file}`;
  for (const file of shim.native)
    (file.endsWith('.node') ? files : programs)[`shim/Release/${file}`] = path.join(build, 'Release', file);
  for (const file of ['LICENSE', 'NOTICE', 'CHANGELOG.md', 'README.md', 'SECURITY.md']) files[file] = file;
  // Where README's links look for them.
  for (const page of readdirSync(inRoot('docs'))) if (page.endsWith('.md')) files[`docs/${page}`] = `docs/${page}`;
  for (const [to, from] of Object.entries({ ...files, ...programs })) {
    copyFileSync(path.resolve(root, from), path.join(tree, to));
    chmodSync(path.join(tree, to), to in programs ? 0o755 : 0o644);
  }
  // The words are the same for every architecture; the first that is built runs here, or in the user mode of qemu.
  for (const [shell, file] of [
    ['bash', 'tsrun.bash'],
    ['zsh', '_tsrun'],
    ['fish', 'tsrun.fish'],
  ]) {
    const script = run(path.join(architectures[0].build, 'standalone/tsrun'), ['completion', shell], root);
    writeFileSync(path.join(tree, 'completions', file), script, { mode: 0o644 });
  }
  return tree;
}

function packTarball(tree) {
  const name = path.basename(tree);
  const same = ['--sort=name', `--mtime=@${time}`, '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  run('tar', [...same, '--use-compress-program=gzip -9n', '-cf', path.join(out, `${name}.tar.gz`), name], work);
}

function packDebian({ debian }, from) {
  const tree = path.join(work, `debian-${debian}`);
  run('sh', [path.join(from, 'install.sh'), path.join(tree, 'usr')], work);
  // Debian's places for what local installations have elsewhere.
  run(
    'sh',
    [
      '-euc',
      'mv usr/share/zsh/site-functions usr/share/zsh/vendor-completions; gzip -9n usr/share/man/man1/tsrun.1; mv usr/share/doc/tsrun/NOTICE usr/share/doc/tsrun/copyright; cat usr/share/doc/tsrun/LICENSE >>usr/share/doc/tsrun/copyright; rm usr/share/doc/tsrun/LICENSE',
    ],
    tree,
  );
  mkdirSync(path.join(tree, 'DEBIAN'));
  const control = {
    Package: 'tsrun',
    Version: version,
    Architecture: debian,
    Maintainer: 'the authors of tsrun <root@localhost>',
    Recommends: 'libsystemd0',
    // For containerd's shim only.
    Suggests: 'containerd, nodejs (>= 20)',
    Section: 'admin',
    Priority: 'optional',
    Description: description,
  };
  const text = Object.entries(control).map(([name, value]) => `${name}: ${value}\n`);
  writeFileSync(path.join(tree, 'DEBIAN/control'), text.join(''));
  const file = path.join(out, `tsrun_${version}_${debian}.deb`);
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, file], work);
}

function writeSums() {
  const lines = readdirSync(out)
    .sort()
    .map((name) => {
      const sum = createHash('sha256')
        .update(readFileSync(path.join(out, name)))
        .digest('hex');
      return `${sum}  ${name}\n`;
    });
  writeFileSync(path.join(out, 'SHA256SUMS'), lines.join(''));
}

function run(program, args, cwd) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: time };
  try {
    return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  } catch (error) {
    return fail(`${program} ${args.join(' ')}: ${error.message}`);
  }
}
