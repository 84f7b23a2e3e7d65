/** Account: who may call the REST APIs, and the namespace that is theirs. Cluster-scoped. */
import {foreignName, idField, idRule, nameOf, projectIdField, statusOf} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

const profileText = (description: string) => s.string(description, {max: 255});

const profile = s.object('Who the person is, as CloudSigma’s profile has it.', {
  firstName: profileText('First name.'),
  lastName: profileText('Last name.'),
  nickName: profileText('Public name.'),
  title: profileText('Title.'),
  company: profileText('Company.'),
  jobTitle: profileText('Job title.'),
  address: s.string('Postal address.', {max: 1024}),
  postcode: profileText('Post code.'),
  town: profileText('Town.'),
  country: profileText('Country code.'),
  phone: profileText('Telephone number.'),
  vat: profileText('VAT number.'),
  language: profileText('Language code.'),
  currency: profileText('Billing currency.'),
});

export const accountSpec = s.object(
  'Who may call, and as what.',
  {
    id: idField,
    email: req(s.string('E-mail address; also a user name.', {min: 3, max: 254, pattern: '^[^@\\s]+@[^@\\s]+$'})),
    displayName: s.string('Name for people.', {max: 255}),
    roles: s.list(
      'What the account may do. inventory: Craton. tenant: CloudSigma and Cyclades. nodepool: Nodepool. admin: everything, also of others.',
      s.oneOf('A role.', ['inventory', 'tenant', 'nodepool', 'admin']),
      {max: 4, type: 'set'},
    ),
    projectId: projectIdField,
    profile,
    credentialsSecret: s.object('Secret with the credentials, in the system namespace; absent: `<account>-credentials`.', {
      name: req(foreignName('Name of the Secret.')),
    }),
  },
  {rules: [idRule]},
);
export const accountStatus = statusOf('What the account has.', {
  namespace: nameOf('Namespace of the account’s objects.'),
  phase: s.oneOf('Pending: the namespace is not there yet. Deleting: it is being emptied.', ['Pending', 'Active', 'Deleting']),
});

export type AccountSpec = Infer<typeof accountSpec>;
export type AccountStatus = Infer<typeof accountStatus>;
export type Account = Resource<'Account', AccountSpec, AccountStatus>;

export const ACCOUNT = kindType<Account>('Account', 'Cluster');

export const accountKind = defineKind(ACCOUNT, {
  shortName: 'acct',
  description: 'An Account may call the REST APIs and owns a namespace. Its credentials are in a Secret, hashed.',
  maxNameLength: 58, // the namespace is acct-<name>
  columns: [
    {name: 'Email', type: 'string', path: '.spec.email', description: 'E-mail address'},
    {name: 'Namespace', type: 'string', path: '.status.namespace', description: 'Namespace of the account'},
    {name: 'Phase', type: 'string', path: '.status.phase', description: 'Phase'},
    conditionColumn('Ready'),
    AGE,
  ],
  selectableFields: ['.status.phase'],
  spec: accountSpec,
  status: accountStatus,
});
