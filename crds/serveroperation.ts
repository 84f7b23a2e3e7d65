/** ServerOperation: a verb that cannot be a wish, as a durable object: asked for once, seen through, kept for a while. Namespaced. */
import {nameOf, statusOf} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer, Rule} from './schema.ts';

/** Parameters belong to one verb. */
const only = (field: string, verb: string): Rule => ({
  rule: `!has(self.${field}) || self.verb == '${verb}'`,
  message: `${field} goes with verb ${verb} only`,
  fieldPath: `.${field}`,
  reason: 'FieldValueForbidden',
});

export const serverOperationSpec = s.object(
  'The verb. Immutable.',
  {
    server: req(nameOf('Name of the Server.')),
    verb: req(s.oneOf('What to do.', ['Start', 'Stop', 'Shutdown', 'Reboot', 'Resize', 'Migrate', 'Rebuild', 'Snapshot'])),
    reboot: s.object('How to reboot.', {
      type: s.oneOf('Soft: ask the guest, and reset it when it does not obey. Hard: reset.', ['Soft', 'Hard'], {default: 'Soft'}),
    }),
    migrate: s.object('Where to move.', {host: nameOf('Host to move to; absent: any that fits.')}),
    resize: s.object('What to become.', {flavor: req(nameOf('New Flavor.'))}),
    requester: s.string('Who asked, for the record.', {max: 255}),
    ttlSeconds: s.integer('How long it is kept after its end, in seconds.', {min: 0, max: 31_536_000, default: 86_400}),
  },
  {
    rules: [
      {rule: 'self == oldSelf', message: 'spec is immutable; make another operation', reason: 'FieldValueInvalid'},
      only('reboot', 'Reboot'),
      only('migrate', 'Migrate'),
      only('resize', 'Resize'),
      {
        rule: "self.verb != 'Resize' || has(self.resize)",
        message: 'verb Resize needs resize',
        fieldPath: '.resize',
        reason: 'FieldValueRequired',
      },
    ],
  },
);
export const serverOperationStatus = statusOf('How far it is.', {
  phase: s.oneOf('Pending: waits. Superseded: a newer one took its place.', ['Pending', 'InProgress', 'Completed', 'Failed', 'Superseded']),
  startTime: s.time('When it began.'),
  completionTime: s.time('When it ended.'),
  reason: s.string('Why it ended so, as one word of the catalogue.', {max: 128, pattern: '^([A-Z][A-Za-z0-9]*)?$'}),
  message: s.string('Why it ended so, for a person.', {max: 1024}),
});

export type ServerOperationSpec = Infer<typeof serverOperationSpec>;
export type ServerOperationStatus = Infer<typeof serverOperationStatus>;
export type ServerOperation = Resource<'ServerOperation', ServerOperationSpec, ServerOperationStatus>;

export const SERVER_OPERATION = kindType<ServerOperation>('ServerOperation', 'Namespaced');

export const serverOperationKind = defineKind(SERVER_OPERATION, {
  shortName: 'srvop',
  description: 'A ServerOperation is a verb on a Server as an object: a reboot, a resize, a migration. Deleting it cancels it.',
  columns: [
    {name: 'Server', type: 'string', path: '.spec.server', description: 'Server'},
    {name: 'Verb', type: 'string', path: '.spec.verb', description: 'Verb'},
    {name: 'Phase', type: 'string', path: '.status.phase', description: 'Phase'},
    {name: 'Requester', type: 'string', path: '.spec.requester', description: 'Who asked'},
    {...conditionColumn('Ready'), priority: 1},
    AGE,
  ],
  selectableFields: ['.spec.server', '.status.phase'],
  spec: serverOperationSpec,
  status: serverOperationStatus,
});
