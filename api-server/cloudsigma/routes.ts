/** The route table of the CloudSigma Back-end API, and the module made of it. */
import {Failure} from '../http/failure.ts';
import {bindRoutes, type Answer, type ApiModule, type Handler, type Input, type ModuleDeps, type RouteOf} from '../http/types.ts';
import * as drives from './drives.ts';
import {TEXT, writeError} from './errors.ts';
import * as power from './power.ts';
import {profileInfo, profileSet} from './profile.ts';
import * as servers from './servers.ts';
import {set} from './set-server.ts';

type Table = readonly RouteOf<ModuleDeps>[];
type Command = Handler<Input, ModuleDeps>;

const ROLES = ['tenant'] as const;

/** Commands without a body take both verbs: the manual and dasein GET, libcloud and jclouds POST. */
const action = (path: string, handler: Command, limits: {readonly deadlineMs?: number} = {}): Table => [
  {method: 'GET', path, roles: ROLES, handler, ...limits},
  {method: 'POST', path, roles: ROLES, handler, ...limits},
];

/** Commands with a body: GET is the manual's 405. */
const command = (path: string, handler: Command): Table => [{method: 'POST', path, roles: ROLES, handler}];

function notImplemented(): Answer {
  throw new Failure('not-implemented');
}

const open = (table: Table): Table => table.map((route) => ({...route, open: true}));
const openAction = (path: string): Table => open(action(path, notImplemented));
const openCommand = (path: string): Table => open(command(path, notImplemented));

const PROFILE: Table = [...action('/profile/info', profileInfo), ...command('/profile/set', profileSet)];

const DRIVES: Table = [
  ...command('/drives/create', drives.create),
  ...openCommand('/drives/{uuid}/write'),
  ...openCommand('/drives/{uuid}/write/{offset}'),
  ...openAction('/drives/{uuid}/read/{offset}/{size}'),
  ...command('/drives/{uuid}/clone', drives.clone),
  ...action('/drives/{uuid}/destroy', drives.destroy),
  ...action('/drives/{uuid}/info', drives.info),
  ...action('/drives/info', drives.infos),
  ...action('/drives/list', drives.list),
  ...command('/drives/{uuid}/set', drives.set),
  ...action('/drives/standard/list', drives.standardList()),
  ...action('/drives/standard/img/list', drives.standardList('Disk')),
  ...action('/drives/standard/cd/list', drives.standardList('Cdrom')),
  ...action('/drives/standard/info', drives.standardInfos()),
  ...action('/drives/standard/img/info', drives.standardInfos('Disk')),
  ...action('/drives/standard/cd/info', drives.standardInfos('Cdrom')),
  ...action('/drives/standard/{uuid}/info', drives.standardInfo),
  ...action('/drives/standard/img/{uuid}/info', drives.standardInfo),
  ...action('/drives/standard/cd/{uuid}/info', drives.standardInfo),
];

const SERVERS: Table = [
  ...action('/servers/list', servers.list),
  ...action('/servers/info', servers.infos),
  ...action('/servers/{uuid}/info', servers.info),
  ...command('/servers/create', servers.create({start: true})),
  ...command('/servers/create/stopped', servers.create({start: false})),
  ...command('/servers/{uuid}/set', set),
  ...openCommand('/servers/{uuid}/clone'),
  ...action('/servers/{uuid}/start', power.start),
  ...action('/servers/{uuid}/stop', power.stop),
  ...action('/servers/{uuid}/shutdown', power.shutdown, {deadlineMs: 90_000}),
  ...action('/servers/{uuid}/reset', power.reset),
  ...action('/servers/{uuid}/destroy', power.destroy),
  ...command('/servers/start', power.startSeveral),
  ...command('/servers/stop', power.stopSeveral),
  ...command('/servers/destroy', power.destroySeveral),
];

const RESOURCES: Table = [
  ...['/list', '/info', '/{uuid}/info', '/{uuid}/destroy'].flatMap((path) => openAction(`/resources/vlan${path}`)),
  ...['/create', '/{uuid}/set'].flatMap((path) => openCommand(`/resources/vlan${path}`)),
  // libcloud creates an address with GET.
  ...['/list', '/info', '/create', '/{ip}/info', '/{ip}/destroy'].flatMap((path) => openAction(`/resources/ip${path}`)),
];

const GROUPS: Table = [
  ...['/list', '/{uuid}/info', '/{uuid}/destroy', '/{uuid}/start', '/{uuid}/stop'].flatMap((path) => openAction(`/servergroups${path}`)),
  ...['/create', '/{uuid}/set', '/{uuid}/add', '/{uuid}/remove'].flatMap((path) => openCommand(`/servergroups${path}`)),
];

const BILLING: Table = [
  ...['/currencies/list', '/usage/info', '/pricing/info', '/transactions/list', '/balance/info'].flatMap(openAction),
  ...['/resources/info', '/net/info', '/list'].flatMap((path) => openAction(`/subscriptions${path}`)),
  ...['/resources/create', '/{uuid}/set', '/{uuid}/set/calculate'].flatMap((path) => openCommand(`/subscriptions${path}`)),
  ...['/network/ip', '/network/vlan', '/software'].flatMap((path) =>
    ['/create', '/calculate'].flatMap((verb) => openCommand(`/subscriptions${path}${verb}`)),
  ),
];

/** Every operation. */
export const TABLE: Table = [...PROFILE, ...DRIVES, ...SERVERS, ...RESOURCES, ...GROUPS, ...BILLING];

/** Other spellings of paths: the manual's `/guests`, and its slips where they cost nothing. */
export function rewritePath(path: string): string {
  return path
    .replace(/^\/guests?\//, '/servers/')
    .replace(/^\/servergroupss\//, '/servergroups/')
    .replace(/^\/resources\/([^/]+)\/destroy$/, '/resources/ip/$1/destroy');
}

/** The CloudSigma Back-end API 1.0, under a prefix of the common listener; its own listener mounts it at the root instead. */
export function createCloudSigmaModule(deps: ModuleDeps): ApiModule {
  return {
    name: 'cloudsigma',
    mounts: ['/cloudsigma'],
    routes: bindRoutes(TABLE, deps),
    schemes: ['basic'],
    rewrite: rewritePath,
    contentType: TEXT,
    writeError,
  };
}
