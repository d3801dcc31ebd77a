/** Images of the busybox root filesystem for engines to import; nothing is downloaded. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxRootfs } from '../harness/index.ts';

/** containerd's name for the image of `ociArchive`. */
export const imageName = 'localhost/busybox:1';

const mediaType = (what: string) => `application/vnd.oci.image.${what}`;

/** Writes the root filesystem as a tar file, with a file /etc/not-executable; returns its path. */
export function rootfsArchive(directory: string): string {
  const rootfs = join(directory, 'image-rootfs');
  const archive = join(directory, 'rootfs.tar');
  if (existsSync(archive)) return archive;
  busyboxRootfs(rootfs);
  writeFileSync(join(rootfs, 'etc/not-executable'), 'no program\n', { mode: 0o644 });
  execFileSync('tar', ['-C', rootfs, '-cf', archive, '.']);
  return archive;
}

/**
 * Writes the same as an archive in the OCI image layout (image-layout.md of the image specification).
 * @param name of the image, with a tag
 * @param command what a container runs by default
 */
export function ociArchive(directory: string, name = imageName, command = ['/bin/sh']): string {
  return ociImage(directory, name, { files: rootfsArchive(directory), command });
}

/** What an image has. */
interface ImageContent {
  /** Path of a tar file, its only layer. */
  readonly files: string;
  readonly command?: readonly string[];
  /** Of its manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Writes any other image as such an archive. */
export function ociImage(directory: string, name: string, { files, command, annotations }: ImageContent): string {
  const layout = join(directory, `image-${name.replaceAll(/\W/g, '-')}`);
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const platform = { architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch, os: 'linux' };
  const layer = addBlob(layout, mediaType('layer.v1.tar'), readFileSync(files));
  const config = addBlob(layout, mediaType('config.v1+json'), {
    ...platform,
    config: { Env: ['PATH=/bin:/usr/bin'], Cmd: command },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifestType = mediaType('manifest.v1+json');
  const manifest = addBlob(layout, manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: [layer],
    annotations,
  });
  const named = { 'io.containerd.image.name': name };
  writeJson(join(layout, 'index.json'), {
    schemaVersion: 2,
    manifests: [{ ...manifest, platform, annotations: named }],
  });
  writeJson(join(layout, 'oci-layout'), { imageLayoutVersion: '1.0.0' });
  const archive = `${layout}.tar`;
  execFileSync('tar', ['-C', layout, '-cf', archive, '.']);
  return archive;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

function addBlob(layout: string, type: string, content: Buffer | object): Descriptor {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  const hash = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', hash), bytes);
  return { mediaType: type, digest: `sha256:${hash}`, size: bytes.length };
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, JSON.stringify(value));
}
