/** Certificates and kubeconfigs of a cluster, by the `pki` name of the multi-call binary. */
import {execFileSync} from 'node:child_process';
import {copyFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {API_SERVER_ACCOUNT, NAMESPACE, OPERATOR_ACCOUNT} from '../processes/programs.ts';
import type {ProcessContext} from '../processes/control-plane.ts';

const TIMEOUT_MS = 60_000;

interface ClientCertificate {
  readonly name: string;
  readonly cn: string;
  readonly orgs: readonly string[];
}

/** A client certificate that makes its holder a ServiceAccount for RBAC, and for webhooks that match user names. */
export function serviceAccountCertificate(namespace: string, name: string): ClientCertificate {
  return {name, cn: `system:serviceaccount:${namespace}:${name}`, orgs: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]};
}

/** What is needed beyond the control plane's own set. */
export const PKI_SPEC = {
  clients: [
    {name: 'kwok', cn: 'system:kwok', orgs: []},
    {name: 'handler-client', cn: 'kubevirt.io:system:client:virt-handler', orgs: []},
    serviceAccountCertificate('kubevirt', 'kubevirt-apiserver'),
    serviceAccountCertificate('kubevirt', 'kubevirt-controller'),
    serviceAccountCertificate('cdi', 'cdi-apiserver'),
    serviceAccountCertificate('cdi', 'cdi-sa'),
    serviceAccountCertificate(NAMESPACE, OPERATOR_ACCOUNT),
    serviceAccountCertificate(NAMESPACE, API_SERVER_ACCOUNT),
  ],
  servings: [
    {name: 'virt-api', sans: ['virt-api.kubevirt.svc', 'virt-api.kubevirt.svc.cluster.local']},
    {name: 'cdi-api', sans: ['cdi-api.cdi.svc', 'cdi-api.cdi.svc.cluster.local']},
    {name: 'handler-server', sans: ['kubevirt.io:system:node:virt-handler']},
    {name: 'controller-metrics', sans: ['localhost', '127.0.0.1']},
  ],
  signers: ['uploadserver', 'uploadclient'],
  signingKeys: ['cdi-token'],
} as const;

/** Writes everything below `pki/`, and the administrator's kubeconfig beside it. Authorities are kept, certificates are new. */
export function makePki({paths, settings}: ProcessContext): void {
  const spec = join(paths.run, 'pki.json');
  writeFileSync(spec, JSON.stringify(PKI_SPEC), {mode: 0o600});
  const server = `https://127.0.0.1:${settings.ports.apiserver}`;
  const args = [`--dir=${paths.pki}`, `--server=${server}`, `--san=${settings.network.nodeAddress}`, `--spec=${spec}`];
  execFileSync(join(settings.bin, 'pki'), args, {timeout: TIMEOUT_MS, stdio: ['ignore', 'ignore', 'pipe']});
  copyFileSync(join(paths.pki, 'admin.kubeconfig'), paths.adminKubeconfig);
}
