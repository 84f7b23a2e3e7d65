/** ServerGroup: servers that should run apart, or together. Namespaced. */
import {count, displayName, idField, idRule, nameOf, statusOf, textField} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

export const serverGroupSpec = s.object(
  'Who belongs together, and how.',
  {
    id: idField,
    name: req(displayName('group')),
    description: textField('Text for people.'),
    policy: s.oneOf(
      'AntiAffinity: never on one host. Affinity: always on one. Soft: if possible.',
      ['AntiAffinity', 'SoftAntiAffinity', 'Affinity', 'SoftAffinity'],
      {default: 'AntiAffinity'},
    ),
    topology: s.oneOf('What the policy keeps apart or together.', ['Host', 'Cell'], {default: 'Host'}),
    members: s.list('Servers of the group; a server that names the group belongs to it, too.', nameOf('A Server.'), {
      max: 256,
      type: 'set',
    }),
  },
  {rules: [idRule]},
);
export const serverGroupStatus = statusOf('Who is in it.', {members: count('Servers of the group.')});

export type ServerGroupSpec = Infer<typeof serverGroupSpec>;
export type ServerGroupStatus = Infer<typeof serverGroupStatus>;
export type ServerGroup = Resource<'ServerGroup', ServerGroupSpec, ServerGroupStatus>;

export const SERVER_GROUP = kindType<ServerGroup>('ServerGroup', 'Namespaced');

export const serverGroupKind = defineKind(SERVER_GROUP, {
  shortName: 'sg',
  description: 'A ServerGroup keeps servers apart, or together.',
  columns: [
    {name: 'Policy', type: 'string', path: '.spec.policy', description: 'Policy'},
    {name: 'Members', type: 'integer', path: '.status.members', description: 'Servers of the group'},
    conditionColumn('Ready'),
    AGE,
  ],
  spec: serverGroupSpec,
  status: serverGroupStatus,
});
