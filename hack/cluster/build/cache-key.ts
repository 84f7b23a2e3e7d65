/** The name of a build in the cache: a hash of everything that decides its bytes. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {filesBelow} from '../files.ts';
import {CDI_PATCHES, VDDK_STUB} from './cdi-patches.ts';

/** Raise when the layout of a build's folder changes. */
const FORMAT = 1;

/** Inputs of {@link cacheKey}. */
export interface BuildInputs {
  /** Path in the module tree -> text, of all module files. */
  readonly files: ReadonlyMap<string, string>;
  /** Text of versions.env. */
  readonly versions: string;
  /** `linux/amd64`. */
  readonly platform: string;
}

/** 16 hex digits. Names and texts are length-prefixed, so that moving bytes from one to the other changes the key. */
export function cacheKey(inputs: BuildInputs): string {
  const hash = createHash('sha256');
  const add = (text: string): void => {
    hash.update(`${Buffer.byteLength(text)}:`).update(text);
  };
  add(String(FORMAT));
  add(inputs.platform);
  add(inputs.versions);
  add(JSON.stringify([CDI_PATCHES, VDDK_STUB]));
  for (const path of [...inputs.files.keys()].toSorted()) {
    add(path);
    add(inputs.files.get(path) as string);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Reads all files below the folder of Go modules. */
export function readModuleFiles(folder: string): Map<string, string> {
  return new Map(filesBelow(folder).map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}
