/** The service catalogue. Pure. */

/** A service: one endpoint each, because kamaki fails on two of one version. */
interface Service {
  readonly type: string;
  readonly name: string;
  readonly path: string;
  readonly versionId: string;
}

/** Every path in here answers: an advertised endpoint that is a 404 breaks each openstack command. */
const SERVICES: readonly Service[] = [
  // The profile whose codes released clients accept.
  {type: 'compute', name: 'cyclades_compute', path: '/cyclades/compute/v2.0', versionId: 'v2.0'},
  {type: 'identity', name: 'identity', path: '/identity/v2.0', versionId: 'v2.0'},
  {type: 'image', name: 'cyclades_plankton', path: '/image/v1.0', versionId: 'v1.0'},
  {type: 'account', name: 'astakos_account', path: '/account/v1.0', versionId: 'v1.0'},
  {type: 'network', name: 'cyclades_network', path: '/network/v2.0', versionId: 'v2.0'},
];

/** `access.serviceCatalog`. Every endpoint carries `SNF:uiURL`, or no kamaki command works. */
export function serviceCatalog(origin: string, region: string) {
  return SERVICES.map(({type, name, path, versionId}) => ({
    type,
    name,
    endpoints_links: [],
    endpoints: [{publicURL: `${origin}${path}`, region, versionId, 'SNF:uiURL': `${origin}/`}],
  }));
}
