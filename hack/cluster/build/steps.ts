/** The three Go builds: what each is called, how long it takes cold on 2 cores, and its `go build` calls. Pure. */
import type {Versions} from './versions.ts';

/** One call of `go build`. `cwd` is relative to the step's module directory. */
export interface GoBuild {
  readonly output: string;
  readonly package: string;
  readonly ldflags: string;
  readonly flags: readonly string[];
}

/** A module, its programs, and the names under which a multi-call binary is started. */
export interface BuildStep {
  readonly name: string;
  readonly module: 'control-plane' | 'kubevirt' | 'cdi';
  /** Cold on 2 cores, milliseconds, with the download. */
  readonly estimateMs: number;
  readonly builds: readonly GoBuild[];
  readonly links: Readonly<Record<string, readonly string[]>>;
}

// The real commit is not needed by anything; a fixed one keeps the bytes reproducible.
const COMMIT = '0'.repeat(40);

/** `-ldflags` of the control plane: without the stamp `/version` says v0.0.0-master and helm's version gates fail. */
export function controlPlaneLdflags(versions: Versions): string {
  const [major, minor] = versions.kubernetes.slice(1).split('.');
  const flags = ['-s', '-w', `-X helm.sh/helm/v4/internal/version.version=${versions.helm}`];
  for (const where of ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']) {
    flags.push(`-X ${where}.gitVersion=${versions.kubernetes}`, `-X ${where}.gitMajor=${major}`, `-X ${where}.gitMinor=${minor}`);
    flags.push(`-X ${where}.gitCommit=${COMMIT}`, `-X ${where}.gitTreeState=clean`, `-X ${where}.buildDate=${versions.buildDate}`);
  }
  return flags.join(' ');
}

const CDI_MODULE = 'kubevirt.io/containerized-data-importer';
const CDI_PROGRAMS = ['cdi-controller', 'cdi-apiserver', 'cdi-importer', 'cdi-cloner', 'cdi-uploadserver'] as const;

/** The builds in the order in which they run; the machine has few cores, and each build uses all of them. */
export function buildSteps(versions: Versions): readonly BuildStep[] {
  const cdi = (output: string, pkg: string): GoBuild => ({output, package: pkg, ldflags: '-s -w', flags: ['-mod=mod']});
  return [
    {
      name: `control plane (Kubernetes ${versions.kubernetes}, etcd, KWOK, helm)`,
      module: 'control-plane',
      estimateMs: 360_000,
      builds: [{output: 'control-plane', package: '.', ldflags: controlPlaneLdflags(versions), flags: []}],
      links: {
        'control-plane': ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kwok', 'helm', 'pki'],
      },
    },
    {
      name: `KubeVirt ${versions.kubevirt}`,
      module: 'kubevirt',
      estimateMs: 150_000,
      builds: [
        {output: 'kubevirt', package: '.', ldflags: `-s -w -X kubevirt.io/client-go/version.gitVersion=${versions.kubevirt}`, flags: []},
      ],
      links: {kubevirt: ['virt-api', 'virt-controller', 'kubevirt-dump']},
    },
    {
      name: `CDI ${versions.cdi}`,
      module: 'cdi',
      estimateMs: 200_000,
      builds: [...CDI_PROGRAMS.map((name) => cdi(name, `${CDI_MODULE}/cmd/${name}`)), cdi('cdi-dump', './dump')],
      links: {},
    },
  ];
}
