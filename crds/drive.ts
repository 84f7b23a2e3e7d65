/** Drive: a disk of an account. Namespaced. */
import {
  MAX_DRIVE_BYTES,
  MIB_BYTES,
  bytes,
  displayName,
  foreignName,
  idField,
  idRule,
  nameOf,
  percent,
  readableSize,
  reference,
  statusOf,
  textField,
  useField,
} from './common.ts';
import {POPULATION_PHASES, diskTypeField, tierField} from './image.ts';
import {AGE, DISPLAY, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Infer} from './schema.ts';
import {slotField} from './slots.ts';

const source = s.object(
  'What the drive starts with: at most one of these; absent: empty. Immutable.',
  {
    image: reference('An image.', 'Image'),
    drive: reference('A copy of another drive, whose readers must name this account when it is another’s.', 'Drive'),
    upload: s.object('Bytes that the account uploads.', {}),
  },
  {
    rules: [
      {
        rule: '[has(self.image), has(self.drive), has(self.upload)].filter(x, x).size() == 1',
        message: 'exactly one of image, drive and upload must be set; leave source out for an empty drive',
        reason: 'FieldValueInvalid',
      },
    ],
  },
);

export const driveSpec = s.object(
  'What the drive is.',
  {
    id: idField,
    name: req(displayName('drive')),
    sizeBytes: req(
      s.integer('Size in bytes. It can only grow; storage is provided in whole MiB.', {
        min: MIB_BYTES,
        max: MAX_DRIVE_BYTES,
        rules: [{rule: 'self >= oldSelf', message: 'a drive can only grow', reason: 'FieldValueInvalid'}],
      }),
    ),
    type: diskTypeField,
    claimType: s.oneOf('Exclusive: one server at a time. Shared: several, which must know how to share a disk.', ['Exclusive', 'Shared'], {
      default: 'Exclusive',
    }),
    readers: s.list(
      'Accounts (by uuid or name) that may copy the drive; ffffffff-ffff-ffff-ffff-ffffffffffff is everyone.',
      nameOf('An account.'),
      {
        max: 128,
        type: 'set',
      },
    ),
    encryptionCipher: s.oneOf('Encryption of the stored bytes. Immutable.', ['None', 'AesXtsPlain'], {
      default: 'None',
      rules: [{rule: 'self == oldSelf', message: 'encryptionCipher is immutable', reason: 'FieldValueInvalid'}],
    }),
    tier: tierField,
    source,
    tags: s.list('Tags: free words.', s.string('A tag.', {min: 1, max: 255}), {max: 64}),
    use: useField,
    description: textField('Text for people.'),
  },
  {
    rules: [
      idRule,
      immutableOnceSet('tier'),
      {
        rule: 'has(self.source) == has(oldSelf.source) && (!has(self.source) || self.source == oldSelf.source)',
        message: 'source is immutable',
        fieldPath: '.source',
        reason: 'FieldValueInvalid',
      },
    ],
  },
);

const claim = s.object('A server that holds the drive.', {
  server: req(nameOf('Name of the Server.')),
  uid: s.string('metadata.uid of the Server; absent until it has been seen.', {min: 1, max: 64}),
  slot: slotField,
  claimedAt: req(s.time('When the claim was taken.')),
});

export const driveStatus = statusOf('How far it is, and who holds it.', {
  phase: s.oneOf('Summary of the conditions, for columns and selectors.', POPULATION_PHASES),
  progressPercent: percent('Percentage of the bytes that have arrived; absent while unknown.'),
  capacityBytes: bytes('Size of the storage, in bytes.'),
  size: readableSize('The drive’s size for people, as `10Gi`.'),
  persistentVolumeClaim: foreignName('PersistentVolumeClaim that holds the bytes.'),
  server: nameOf('The first claim’s server, for the column.'),
  claims: s.listMap('Servers that hold the drive. Written under the resourceVersion, before anything is promised.', claim, {
    key: 'server',
    max: 64,
  }),
});

export type DriveSpec = Infer<typeof driveSpec>;
export type DriveStatus = Infer<typeof driveStatus>;
export type DriveClaim = Infer<typeof claim>;
export type Drive = Resource<'Drive', DriveSpec, DriveStatus>;

export const DRIVE = kindType<Drive>('Drive', 'Namespaced');

export const driveKind = defineKind(DRIVE, {
  shortName: 'drv',
  description: 'A Drive is a disk of an account. Servers hold it by a claim; it outlives them.',
  columns: [
    DISPLAY,
    {name: 'Phase', type: 'string', path: '.status.phase', description: 'Phase'},
    {name: 'Size', type: 'string', path: '.status.size', description: 'Size'},
    {name: 'Tier', type: 'string', path: '.spec.tier', description: 'Storage tier'},
    {name: 'Server', type: 'string', path: '.status.server', description: 'Server that holds it'},
    {name: 'Progress', type: 'integer', path: '.status.progressPercent', description: 'Percentage of the bytes that have arrived'},
    {...conditionColumn('Ready'), priority: 1},
    AGE,
  ],
  selectableFields: ['.status.phase'],
  spec: driveSpec,
  status: driveStatus,
  rules: [
    {
      rule: "self.spec.claimType != 'Exclusive' || !has(self.status) || !has(self.status.claims) || size(self.status.claims) <= 1",
      message: 'an exclusive drive has at most one claim',
      fieldPath: '.status.claims',
      reason: 'FieldValueForbidden',
    },
  ],
});
