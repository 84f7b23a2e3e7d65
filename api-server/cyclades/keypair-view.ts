/** Key pairs as the compute API shows them. Pure. */
import type {KeyPair} from '../../crds/index.ts';
import {fingerprintOf} from '../../crds/rules/fingerprint.ts';
import {idOf} from '../../crds/rules/ids.ts';
import {createdMs, updatedMs} from '../store/times.ts';
import {apiDateWithoutZone} from './dates.ts';

/** What a key that cannot be read has for a fingerprint. */
const UNKNOWN_FINGERPRINT = 'unknown fingerprint';

/** A member of the list, and of the answer to a create. The fingerprint does not wait for the operator to write it. */
export function briefKeyPair({spec}: KeyPair) {
  return {name: spec.name, public_key: spec.publicKey, fingerprint: fingerprintOf(spec.publicKey) ?? UNKNOWN_FINGERPRINT};
}

/** Details. One that was deleted is not found, so that its two members say the same of all. */
export function fullKeyPair(keyPair: KeyPair) {
  return {
    ...briefKeyPair(keyPair),
    // One made with kubectl has no id for the moment that the operator takes to give it one.
    id: idOf(keyPair) ?? null,
    created_at: apiDateWithoutZone(createdMs(keyPair)),
    updated_at: apiDateWithoutZone(updatedMs(keyPair)),
    deleted: false,
    deleted_at: null,
  };
}
