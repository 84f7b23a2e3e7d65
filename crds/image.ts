/** Image: a disk or installation medium that drives are made from. Namespaced; public ones live in the system namespace. */
import {
  MAX_DRIVE_BYTES,
  MIB_BYTES,
  bytes,
  count,
  displayName,
  foreignName,
  idField,
  idRule,
  keyValues,
  nameOf,
  percent,
  readableSize,
  statusOf,
  textField,
} from './common.ts';
import {AGE, DISPLAY, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Infer} from './schema.ts';

/** Phases of everything that is filled with bytes, in the usual order. */
export const POPULATION_PHASES = ['Pending', 'Creating', 'Importing', 'Cloning', 'AwaitingUpload', 'Ready', 'Failed', 'Deleting'] as const;
/** A phase of an Image or Drive. */
export type PopulationPhase = (typeof POPULATION_PHASES)[number];

/** `spec.tier`: where the bytes are kept. */
export const tierField = s.string('Storage tier; absent: the cluster’s default storage class.', {
  min: 1,
  max: 63,
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
});

/** `spec.type` of images and drives. */
export const diskTypeField = s.oneOf('What a server sees.', ['Disk', 'Cdrom'], {default: 'Disk'});

const source = s.object(
  'Where the bytes come from: exactly one of these. Immutable.',
  {
    http: s.object('Fetched over HTTP.', {
      url: req(s.string('Address of a raw or qcow2 file, perhaps compressed.', {min: 8, max: 2048, pattern: '^https?://[^\\s]+$'})),
      checksum: s.string('Checksum of the file, `<algorithm>:<hex>`.', {
        min: 36,
        max: 135,
        pattern: '^(md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$',
      }),
    }),
    registry: s.object('Fetched from a container registry.', {
      url: req(s.string('Address of a container disk.', {min: 10, max: 2048, pattern: '^(docker|oci-archive)://[^\\s]+$'})),
    }),
    drive: s.object('Copied from a drive of the same namespace.', {name: req(nameOf('Name of the Drive.'))}),
    upload: s.object('Uploaded by the account.', {}),
  },
  {
    rules: [
      {
        rule: '[has(self.http), has(self.registry), has(self.drive), has(self.upload)].filter(x, x).size() == 1',
        message: 'exactly one of http, registry, drive and upload must be set',
        reason: 'FieldValueInvalid',
      },
      {rule: 'self == oldSelf', message: 'source is immutable', reason: 'FieldValueInvalid'},
    ],
  },
);

export const imageSpec = s.object(
  'What the image is.',
  {
    id: idField,
    name: req(displayName('image')),
    type: diskTypeField,
    source: req(source),
    sizeBytes: s.integer('Size of the disk in bytes; absent: what the source says, else 1 GiB.', {min: MIB_BYTES, max: MAX_DRIVE_BYTES}),
    visibility: s.oneOf('Public: every account may make servers and drives from it.', ['Private', 'Public'], {default: 'Private'}),
    metadata: keyValues('Properties, as the image APIs show them.'),
    description: textField('Text for people.'),
    os: s.string('Operating system on it.', {max: 63}),
    tier: tierField,
  },
  {rules: [idRule, immutableOnceSet('sizeBytes'), immutableOnceSet('tier')]},
);
export const imageStatus = statusOf('How far it is.', {
  phase: s.oneOf('Summary of the conditions, for columns and selectors.', POPULATION_PHASES),
  progressPercent: percent('Percentage of the bytes that have arrived; absent while unknown.'),
  sizeBytes: bytes('Size of the disk, in bytes.'),
  size: readableSize('Size of the disk for people, as `10Gi`.'),
  dataVolume: foreignName('DataVolume that holds the bytes.'),
  dataSource: foreignName('DataSource that drives are cloned from.'),
  importedAt: s.time('When the bytes were complete.'),
  attempts: count('Attempts to fetch the bytes.'),
});

export type ImageSpec = Infer<typeof imageSpec>;
export type ImageStatus = Infer<typeof imageStatus>;
export type Image = Resource<'Image', ImageSpec, ImageStatus>;

export const IMAGE = kindType<Image>('Image', 'Namespaced');

export const imageKind = defineKind(IMAGE, {
  shortName: 'img',
  description: 'An Image is a disk or installation medium that drives and servers are made from.',
  columns: [
    DISPLAY,
    {name: 'Phase', type: 'string', path: '.status.phase', description: 'Phase'},
    {name: 'Progress', type: 'integer', path: '.status.progressPercent', description: 'Percentage of the bytes that have arrived'},
    {name: 'Kind', type: 'string', path: '.spec.type', description: 'Disk or Cdrom'},
    {name: 'Size', type: 'string', path: '.status.size', description: 'Size'},
    {...conditionColumn('Ready'), priority: 1},
    AGE,
  ],
  selectableFields: ['.status.phase'],
  spec: imageSpec,
  status: imageStatus,
});
