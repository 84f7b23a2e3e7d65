/** The guest images of the project. */
import type {Purpose} from './requirements.ts';

/** How an image is made. */
export interface Recipe {
  readonly name: string;
  /** Shown in catalogues. */
  readonly description: string;
  /** Packages to download; `meta>` stands for what the metapackage depends on. */
  readonly packages: readonly string[];
  /** Whose commands the script needs. */
  readonly purposes: readonly Purpose[];
  /** A script of this folder; called with the folder of packages, an empty folder to work in, and the disk to write. */
  readonly script: string;
  /** Files and folders (ending in `/`) of this folder that decide the bytes. */
  readonly sources: readonly string[];
  /** For people: how long it takes. */
  readonly takes: string;
  readonly timeoutMs: number;
}

/** Debian's kernel for virtual machines: a third of the modules, and unpacked twice as fast as the one for all machines. */
const KERNEL = 'linux-image-cloud-amd64>';

const SHARED = ['disk.sh', 'kernel.sh', 'initramfs-init'];

/** A busybox system of 35 MiB that reads a NoCloud seed: at its login after 3–5 s without hardware virtualisation. */
export const TINY: Recipe = {
  name: 'tiny',
  description: 'A small Linux for trying things: busybox and an SSH server. User root.',
  packages: [
    KERNEL,
    'busybox-static',
    // The SSH server, and what lets the root file system grow, with the libraries of both.
    ...['dropbear-bin', 'libtomcrypt1', 'libtommath1', 'libgmp10', 'libcrypt1', 'zlib1g', 'libc6'],
    ...['e2fsprogs', 'libext2fs2', 'libcom-err2'],
  ],
  purposes: ['image'],
  script: 'tiny/build.sh',
  sources: ['tiny/', ...SHARED],
  takes: 'about 5 s',
  timeoutMs: 5 * 60_000,
};

/** Debian with systemd, the real cloud-init and the guest agent. */
export const DEBIAN: Recipe = {
  name: 'debian',
  description: 'Debian with cloud-init and the QEMU guest agent.',
  packages: [KERNEL, 'busybox-static'],
  purposes: ['image', 'debian'],
  script: 'debian/build.sh',
  sources: ['debian/', ...SHARED],
  takes: 'about 2 minutes',
  timeoutMs: 30 * 60_000,
};

/** All of them. */
export const RECIPES: readonly Recipe[] = [TINY, DEBIAN];
