/** Fields that several kinds share. */
import {conditionsField} from './conditions.ts';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Fields, ObjectOf, Rule, Schema} from './schema.ts';

/** A DNS label (RFC 1123), the form of every `metadata.name` of ours. */
export const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const DNS_SUBDOMAIN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
/** Lower-case hexadecimal MAC address with colons. */
export const MAC_ADDRESS = '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$';

/** One MiB in bytes: the least size of a drive. */
export const MIB_BYTES = 1_048_576;
/** The largest drive or image: 64 TiB. */
export const MAX_DRIVE_BYTES = 70_368_744_177_664;

/** `spec.id`. */
export const idField = s.integer(
  'Integer id shown by the REST APIs. Allocated from a sequence that never reuses a number; immutable once set.',
  {
    min: 1,
    max: 2_147_483_647,
  },
);

/** The rule that goes with {@link idField}, for the rules of a spec. */
export const idRule: Rule = immutableOnceSet('id');

/** `spec.name`: free text for people. */
export const displayName = (what: string) => s.string(`Display name of the ${what}: free text.`, {min: 1, max: 255});

/** The name of another object. `length` bounds it. */
export const nameOf = (description: string) => s.string(description, {min: 1, max: 63, pattern: DNS_LABEL});

/** The name of a Secret in the same namespace, or another object that is not ours. */
export const foreignName = (description: string) => s.string(description, {min: 1, max: 253, pattern: DNS_SUBDOMAIN});

/** A reference to an object of the same namespace. */
export const localReference = (description: string, what: string) =>
  s.object(description, {name: req(foreignName(`Name of the ${what}.`))});

/** A reference that may cross namespaces; the operator checks the grant at each use. */
export const reference = (description: string, what: string) =>
  s.object(description, {
    namespace: nameOf(`Namespace of the ${what}; absent: the namespace of this object.`),
    name: req(nameOf(`Name of the ${what}.`)),
  });

/** The Craton project of an object. */
export const projectIdField = s.string('Craton project: an integer or a UUID.', {
  min: 1,
  max: 36,
  pattern: '^([0-9]{1,10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$',
});

const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

/** `spec.uuid` of kinds whose UUID may come with them from another inventory. */
export const givenUuidField = s.string(
  'UUID by which the inventory knows it; absent: the name when that is a UUID, else the uid. Immutable once set.',
  {
    min: 36,
    max: 36,
    pattern: UUID_PATTERN,
  },
);

/** Free text of a person. */
export const textField = (description: string, max = 4096) => s.string(description, {max});

/** `metadata` of servers and images in the sense of the REST APIs: short texts by key. */
export const keyValues = (description: string) =>
  s.listMap(
    description,
    s.object('One entry.', {
      key: req(s.string('Key, unique in the list.', {min: 1, max: 255})),
      value: req(s.string('Value: free text.', {max: 1024})),
    }),
    {key: 'key', max: 128},
  );

/** Words that CloudSigma calls `use`. */
export const useField = s.list('What it is meant for, as words.', s.string('A word.', {min: 1, max: 64}), {max: 16});

/** A count. */
export const count = (description: string) => s.integer(description, {min: 0, max: 2_147_483_647});

/** A size as `formatBytes` (rules/sizes.ts) writes it: for columns, which show a field as it is. */
export const readableSize = (description: string) => s.string(description, {min: 1, max: 16, pattern: '^[0-9]+(\\.[0-9]+)?([KMGT]i)?$'});

/** A number of bytes. */
export const bytes = (description: string) => s.integer(description, {min: 0, max: MAX_DRIVE_BYTES});

/** A percentage of work done. */
export const percent = (description: string) => s.integer(description, {min: 0, max: 100});

/** An IPv4 or IPv6 address. */
export const ipAddress = (description: string) =>
  s.string(description, {
    min: 2,
    max: 45,
    rules: [{rule: 'isIP(self)', message: 'must be an IPv4 or IPv6 address', reason: 'FieldValueInvalid'}],
  });

/** The status of a kind: what all have, and its own fields. */
export function statusOf<F extends Fields>(description: string, fields: F): Schema<ObjectOf<F & typeof commonStatus>> {
  return s.object(description, {...commonStatus, ...fields}, {rules: [immutableOnceSet('uuid')]}) as Schema<
    ObjectOf<F & typeof commonStatus>
  >;
}

const commonStatus = {
  observedGeneration: s.integer('`metadata.generation` of the spec that this status describes.', {min: 0, max: Number.MAX_SAFE_INTEGER}),
  uuid: s.string('UUID shown by the REST APIs, recorded when the object was first seen: its name when that is a UUID, else its uid.', {
    min: 36,
    max: 36,
    pattern: UUID_PATTERN,
  }),
  conditions: conditionsField,
} as const satisfies Fields;
