/**
 * The sources of quickjs-ng (quickjs-ng.github.io, MIT), the engine of the standalone executable, from Debian's source
 * package. `node scripts/lib/quickjs.mjs` says whether Debian has a newer release. To update, edit `release`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, inRoot } from './paths.mjs';
import { listOfChanges, withChanges } from './quickjs-changes.mjs';

export const release = {
  version: '0.17.0-1',
  sha256: '04631979bdadaccffd76c1cb0aff5d07389aa889a90b6a902eba858a3a3b3988',
};
const packageName = 'qjs-src';
/** No stable release of Debian has it yet. */
const suite = 'sid';
const archive = 'http://deb.debian.org/debian';

const cache = inRoot('build/quickjs');

/** The directory of the sources, which may not exist yet. */
export function quickjsDirectory() {
  return path.join(cache, `quickjs-ng-${release.version}-${ours()}`);
}

/**
 * Downloads and unpacks them once; returns their directory. Uses apt's own helper, which knows the machine's proxy
 * settings.
 */
export function quickjsSources() {
  const directory = quickjsDirectory();
  if (existsSync(directory)) return directory;
  const partial = path.join(cache, 'partial');
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const file = pinned(partial) ?? newest(partial);
  run('dpkg-deb', ['-x', file, path.join(partial, 'package')]);
  const sources = path.join(partial, 'package/usr/src/quickjs-ng');
  const engine = path.join(sources, 'quickjs.c');
  writeFileSync(engine, withChanges(readFileSync(engine, 'utf8')));
  renameSync(sources, directory);
  rmSync(partial, { recursive: true });
  return directory;
}

/** Part of the directory's name: if our changes of the sources change, they are unpacked anew. */
function ours() {
  return createHash('sha256').update(listOfChanges()).digest('hex').slice(0, 8);
}

/** The release that this build is tested with; undefined if Debian's archive no longer has it. */
function pinned(directory) {
  const file = path.join(directory, `${packageName}.deb`);
  const url = `${archive}/pool/main/q/quickjs-ng/${packageName}_${release.version}_all.deb`;
  const { status, output } = attempt('/usr/lib/apt/apt-helper', [
    'download-file',
    url,
    file,
    `SHA256:${release.sha256}`,
  ]);
  if (status !== 0) {
    if (/\b404\b/.test(output)) return undefined;
    fail(`the sources of quickjs-ng cannot be downloaded from ${url}:\n${output}`);
  }
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  // apt-helper has already compared it; this line makes sure.
  if (found !== release.sha256) fail(`${url} has changed: its SHA-256 is ${found}`);
  return file;
}

/** Whatever release Debian has now, with Debian's signature in place of our checksum. */
function newest(directory) {
  const apt = privateApt(directory);
  run('apt-get', [...apt, 'update'], directory);
  run('apt-get', [...apt, 'download', packageName], directory);
  const name = readdirSync(directory).find((entry) => entry.startsWith(`${packageName}_`));
  if (name === undefined) fail(`apt-get download ${packageName} from ${suite} has left no package`);
  process.stderr.write(`quickjs: ${release.version} is no longer in Debian's archive; building with ${name}\n`);
  return path.join(directory, name);
}

/** Options that give apt-get package lists of its own, for this suite only, whatever the machine has configured. */
function privateApt(directory) {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(path.join(directory, 'sources.list'), `deb [signed-by=${keyring}] ${archive} ${suite} main\n`);
  mkdirSync(path.join(directory, 'lists/partial'), { recursive: true });
  mkdirSync(path.join(directory, 'cache/archives/partial'), { recursive: true });
  return [
    `-oDir::Etc::SourceList=${directory}/sources.list`,
    '-oDir::Etc::SourceParts=/dev/null',
    `-oDir::State::Lists=${directory}/lists`,
    `-oDir::Cache=${directory}/cache`,
    '-oAPT::Sandbox::User=root',
    '-oAcquire::Check-Valid-Until=false',
    '-qq',
  ];
}

/** The version of the package that Debian has now. */
function newestVersion() {
  const directory = mkdtempSync(path.join(tmpdir(), 'tsrun-quickjs-'));
  try {
    const apt = privateApt(directory);
    run('apt-get', [...apt, 'update'], directory);
    const { output } = attempt('apt-cache', [...apt.filter((option) => option !== '-qq'), 'policy', packageName]);
    return /Candidate: (\S+)/.exec(output)?.[1];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function attempt(program, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status, output: error?.message ?? `${stdout}${stderr}` };
}

function run(program, args, cwd) {
  const { status, output } = attempt(program, args, cwd);
  if (status !== 0) fail(`cannot get the sources of quickjs-ng: ${program} ${args.join(' ')}:\n${output}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const newer = newestVersion();
  const verdict = newer === release.version ? 'the newest' : `Debian's ${suite} has ${newer}`;
  process.stdout.write(`quickjs-ng ${release.version}: ${verdict}\n`);
}
