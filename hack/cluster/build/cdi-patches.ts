/**
 * What CDI needs changed to run as host processes: it assumes a pod of its own, with fixed ports and paths and a network between pods.
 * Eight places in four files, applied to a copy of the module while building (Go refuses `-overlay` inside the module cache). A text that
 * is no longer there stops the build, so a new CDI version cannot slip through half patched.
 */

/** One change: every occurrence of `find` in the file becomes `put`. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** The changes, in the order of their files. */
export const CDI_PATCHES: readonly Patch[] = [
  // Frees the name for the line below; the constant itself stays, unused constants are legal.
  {file: 'cmd/cdi-controller/controller.go', find: '\treadyFile = "/tmp/ready"', put: '\treadyFileDefault = "/tmp/ready"'},
  {file: 'cmd/cdi-controller/controller.go', find: '(readyFile)', put: '(os.Getenv("READY_FILE"))'},
  {file: 'cmd/cdi-controller/controller.go', find: 'BindAddress:   ":8443"', put: 'BindAddress: os.Getenv("METRICS_ADDRESS")'},
  {file: 'cmd/cdi-controller/controller.go', find: 'controller.TokenPublicKeyPath', put: 'os.Getenv("TOKEN_KEY_DIR") + "/id_rsa.pub"'},
  {file: 'cmd/cdi-controller/controller.go', find: 'controller.TokenPrivateKeyPath', put: 'os.Getenv("TOKEN_KEY_DIR") + "/id_rsa"'},
  {
    file: 'cmd/cdi-apiserver/apiserver.go',
    find: 'NewCdiAPIServer(defaultHost,\n\t\tdefaultPort,',
    put: 'NewCdiAPIServer(os.Getenv("LISTEN_ADDRESS"),\n\t\tlistenPort(),',
  },
  {
    file: 'cmd/cdi-apiserver/apiserver.go',
    find: '\nfunc main() {',
    put: '\nfunc listenPort() uint {\n\tvar port uint = defaultPort\n\t_, _ = fmt.Sscan(os.Getenv("LISTEN_PORT"), &port)\n\treturn port\n}\n\nfunc main() {',
  },
  // The worker pods' metrics: one address each, or they could not run side by side.
  {file: 'pkg/util/prometheus/prometheus.go', find: '":8443"', put: 'os.Getenv("POD_IP") + ":8443"'},
  // Progress is read from worker pods at their own addresses. Those of simulated pods are nobody's, or somebody else's: never dialled.
  {file: 'pkg/controller/common/util.go', find: '\t"net/http"\n\t"reflect"', put: '\t"net/http"\n\t"os"\n\t"reflect"'},
  {
    file: 'pkg/controller/common/util.go',
    find: 'metricExp, ownerUID string) (string, error) {\n',
    put: 'metricExp, ownerUID string) (string, error) {\n\tif !strings.HasPrefix(url, "https://"+os.Getenv("WORKER_ADDRESS_PREFIX")) {\n\t\treturn "", nil\n\t}\n',
  },
];

/** The VDDK source is the only user of libnbd (C). Upstream has a stub for arm64; it serves amd64 as well. */
export const VDDK_STUB = {from: 'pkg/importer/vddk-datasource_arm64.go', to: 'pkg/importer/vddk-datasource_amd64.go'} as const;

/** Applies the patches of one file to its text. Throws when a text to find is not there. */
export function applyPatches(text: string, patches: readonly Patch[]): string {
  let result = text;
  for (const patch of patches) {
    if (!result.includes(patch.find)) throw new Error(`${patch.file}: cannot be patched, ${JSON.stringify(patch.find)} is not in it`);
    result = result.replaceAll(patch.find, patch.put);
  }
  return result;
}
