/** Version documents of the compute mounts: what OpenStack clients ask before anything else, without a token. Pure. */
import type {Answer, ApiModule, PublicInput} from '../http/types.ts';
import {CLIENT_MOUNT, DOCUMENT_MOUNT} from './profile.ts';

/** One version. No `version` and `min_version`: those would announce microversions. */
export function computeVersion(url: string) {
  return {
    id: 'v2.0',
    status: 'CURRENT',
    updated: '2011-01-21T11:33:21-06:00',
    links: [{rel: 'self', href: `${url}/`}],
    'media-types': [{base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2'}],
  };
}

/** GET of a compute mount. */
export function getVersion({baseUrl}: PublicInput): Answer {
  return {status: 200, body: {version: computeVersion(baseUrl)}};
}

/** GET of the path above a compute mount (`/compute/`): the list that fog asks for. */
export function listVersions({baseUrl}: PublicInput): Answer {
  return {status: 200, body: {versions: [computeVersion(`${baseUrl}/v2.0`)]}};
}

/** The module of the paths above the compute mounts. */
export function createVersionsModule({headers, writeError}: Pick<ApiModule, 'headers' | 'writeError'>): ApiModule {
  return {
    name: 'cyclades',
    mounts: [DOCUMENT_MOUNT, CLIENT_MOUNT].map((mount) => mount.slice(0, mount.lastIndexOf('/'))),
    schemes: ['token'],
    routes: [{method: 'GET', path: '', auth: 'public', handler: listVersions}],
    ...(headers === undefined ? {} : {headers}),
    writeError,
  };
}
