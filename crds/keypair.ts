/** KeyPair: a public SSH key. Namespaced. */
import {displayName, idField, idRule, statusOf} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

export const keyPairSpec = s.object(
  'The key.',
  {
    id: idField,
    name: req(displayName('key pair')),
    publicKey: req(
      s.string('Public key in OpenSSH form. Immutable.', {
        min: 1,
        max: 16_384,
        rules: [{rule: 'self == oldSelf', message: 'publicKey is immutable', reason: 'FieldValueInvalid'}],
      }),
    ),
  },
  {rules: [idRule]},
);
export const keyPairStatus = statusOf('What is known of the key.', {
  fingerprint: s.string('MD5 of the key in colon hex, or `unknown fingerprint`.', {max: 64}),
});

export type KeyPairSpec = Infer<typeof keyPairSpec>;
export type KeyPairStatus = Infer<typeof keyPairStatus>;
export type KeyPair = Resource<'KeyPair', KeyPairSpec, KeyPairStatus>;

export const KEY_PAIR = kindType<KeyPair>('KeyPair', 'Namespaced');

export const keyPairKind = defineKind(KEY_PAIR, {
  shortName: 'kp',
  description: 'A KeyPair is a public SSH key that servers accept from their first boot on.',
  columns: [{name: 'Fingerprint', type: 'string', path: '.status.fingerprint', description: 'Fingerprint'}, conditionColumn('Ready'), AGE],
  spec: keyPairSpec,
  status: keyPairStatus,
});
