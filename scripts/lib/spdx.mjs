/** The contents of all that is handed out in SPDX 2.3 (spdx.github.io/spdx-spec/v2.3). NOTICE says the same in words. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { release as quickjs } from './quickjs.mjs';

/** Debian's packages whose archives are linked, and the licences of what is in them. */
const debianPackages = [
  ['libseccomp-dev', 'LGPL-2.1-only'],
  ['libc6-dev', 'LGPL-2.1-or-later'],
  ['libstdc++-12-dev', 'GPL-3.0-or-later WITH GCC-exception-3.1'],
];
const npmPackages = [
  ['@bufbuild/protobuf', 'Apache-2.0 AND BSD-3-Clause'],
  ...['commander', 'events', 'path-browserify', 'node-addon-api', 'node-api-headers'].map((name) => [name, 'MIT']),
];

/** @param {number} time the document's own time, in seconds since 1970 */
export function contentsOf(version, time) {
  const parts = [
    ['quickjs-ng', quickjs.version, 'MIT'],
    ...debianPackages.map(([name, license]) => [name, debianVersion(name), license]),
    ...npmPackages.map(([name, license]) => [name, npmVersion(name), license]),
  ];
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `tsrun-${version}`,
    documentNamespace: `urn:tsrun:${version}:${time}`,
    creationInfo: {
      created: new Date(time * 1000).toISOString().replace('.000', ''),
      creators: ['Tool: scripts/release.mjs'],
    },
    packages: [['tsrun', version, 'Apache-2.0'], ...parts].map(packageOf),
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-tsrun'),
      ...parts.map(([name]) => relationship('SPDXRef-tsrun', 'CONTAINS', idOf(name))),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function packageOf([name, version, license]) {
  const unknown = { downloadLocation: 'NOASSERTION', filesAnalyzed: false, copyrightText: 'NOASSERTION' };
  return {
    SPDXID: idOf(name),
    name,
    versionInfo: version,
    licenseConcluded: license,
    licenseDeclared: license,
    ...unknown,
  };
}

function relationship(spdxElementId, relationshipType, relatedSpdxElement) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

/** Letters, digits, dots and hyphens only. */
function idOf(name) {
  return `SPDXRef-${name.replaceAll('+', 'p').replace(/[^A-Za-z0-9.-]+/g, '-')}`;
}

function debianVersion(name) {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', `\${Version}`, name], { encoding: 'utf8' });
  return status === 0 ? stdout : 'NOASSERTION';
}

function npmVersion(name) {
  const { packages } = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'));
  return packages[`node_modules/${name}`].version;
}
