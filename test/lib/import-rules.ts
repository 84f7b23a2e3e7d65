/** The import rules of the house (docs/architecture.md), as one pure function. */

const REST_APIS = ['craton', 'nodepool', 'cloudsigma', 'cyclades', 'identity'];

/** What each folder may import of ours, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kube: [],
  crds: [],
  operator: ['crds', 'kube'],
  'api-server': ['crds', 'kube'],
  'drive-io': ['crds', 'kube'],
  hack: ['crds', 'kube', 'operator', 'api-server', 'drive-io', 'test'],
  test: ['crds', 'kube', 'operator', 'api-server', 'drive-io', 'hack'],
};

/** Packages that only some files may import, with the reason. */
const RESTRICTED: readonly {readonly name: string; readonly allowed: (file: string) => boolean; readonly why: string}[] = [
  {
    name: '@dot-i/k8s-operator',
    allowed: (file) => file.startsWith('operator/runtime/reconciling-operator') || file.startsWith('hack/bench/'),
    why: 'dropping it stays a change of one file',
  },
  {name: 'express', allowed: (file) => file.startsWith('api-server/http/'), why: 'Express is an adapter: handlers know no framework'},
  {
    name: 'undici',
    allowed: (file) => file.startsWith('kube/') || file.startsWith('hack/') || file.startsWith('test/'),
    why: 'calls to Kubernetes go through the one transport',
  },
];

const top = (path: string): string => path.split('/')[0] ?? '';
const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testing/');

/**
 * Why `file` must not import `target` (both relative to the repository's root, or `target` a package), or undefined when it may.
 */
export function violationOf(file: string, target: string): string | undefined {
  const package_ = RESTRICTED.find(({name}) => target === name || target.startsWith(`${name}/`));
  if (package_ !== undefined && !package_.allowed(file)) return `${file} imports ${target}: ${package_.why}`;
  const [from, to] = [top(file), top(target)];
  if (!(to in MAY_IMPORT)) return undefined; // a package, or a data file of the root
  if (!isTest(file) && from !== 'test' && from !== 'hack' && target.includes('/testing/'))
    return `${file} imports ${target}: test doubles are for tests`;
  if (from === to) return from === 'api-server' ? apiViolation(file, target) : undefined;
  if (MAY_IMPORT[from]?.includes(to) === true) return undefined;
  if (isTest(file) && to === 'test') return undefined;
  return `${file} imports ${target}: ${from}/ imports nothing of ${to}/`;
}

/** Inside api-server/: a REST API folder imports no other, and the frame imports none of them. */
function apiViolation(file: string, target: string): string | undefined {
  const [, from] = file.split('/');
  const [, to] = target.split('/');
  if (from === to || to === undefined || !REST_APIS.includes(to) || isTest(file)) return undefined;
  if (from !== undefined && (REST_APIS.includes(from) || from === 'http' || from === 'store'))
    return `${file} imports ${target}: one REST API never imports another, and the frame knows none of them`;
  return undefined;
}
