/** What guests that boot need of this machine: hack/guest-packages, read, and compared with what is there. */
import {accessSync, constants, readFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {ROOT} from '../paths.ts';

const PURPOSES = ['run', 'image', 'debian', 'test'] as const;
/** `run`: starting guests. `image`: building tiny. `debian`: building debian, beside what tiny needs. `test`: tests with guests. */
export type Purpose = (typeof PURPOSES)[number];

/** One line of the list. */
export interface Requirement {
  readonly purpose: Purpose;
  /** Debian's package. */
  readonly package: string;
  /** A command that is there exactly when the package is; undefined: another package of the list brings it along. */
  readonly command: string | undefined;
}

/** Reads the list. Throws on a line that is not understood. */
export function parseRequirements(text: string): Requirement[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [purpose, name, command, ...rest] = line.trim().split(/\s+/);
    const known = PURPOSES.find((candidate) => candidate === purpose);
    if (known === undefined) throw new Error(`not a purpose: ${line}`);
    if (name === undefined || command === undefined || rest.length > 0) throw new Error(`must be purpose, package, command: ${line}`);
    return {purpose: known, package: name, command: command === '-' ? undefined : command};
  });
}

/** The list of the repository. */
export function readRequirements(): Requirement[] {
  return parseRequirements(readFileSync(join(ROOT, 'hack/guest-packages'), 'utf8'));
}

// Tools of file systems are not on the PATH of ordinary users, and work for them all the same.
const MORE_FOLDERS = ['/usr/sbin', '/sbin'];

/** The PATH on which the commands of the list are looked for and run. */
export function toolPath(env: Readonly<Record<string, string | undefined>>): string {
  return [...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''), ...MORE_FOLDERS].join(delimiter);
}

/** Whether a command is there. */
export function commandFinder(env: Readonly<Record<string, string | undefined>>): (command: string) => boolean {
  const folders = toolPath(env).split(delimiter);
  return (command) =>
    folders.some((folder) => {
      try {
        accessSync(join(folder, command), constants.X_OK);
        return true;
      } catch {
        return false; // not there, or not for us: either way it cannot be started
      }
    });
}

/** Packages of these purposes whose command is not there. */
export function missingPackages(
  requirements: readonly Requirement[],
  purposes: readonly Purpose[],
  has: (command: string) => boolean,
): string[] {
  return requirements
    .filter(({purpose, command}) => purposes.includes(purpose) && command !== undefined && !has(command))
    .map((requirement) => requirement.package);
}

/** The command that installs packages. */
export function installCommand(packages: readonly string[]): string {
  return `apt-get install --no-install-recommends ${packages.join(' ')}`;
}
