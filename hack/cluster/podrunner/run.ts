/** Puts the pod runner together and runs it until its signal aborts. */
import {systemClock} from '../../../kube/clock.ts';
import type {Logger} from '../../../kube/log.ts';
import {loadKubeConfig} from '../../../kube/pooled-kube-config.ts';
import {createInformer} from '../../../kube/reflector.ts';
import {createClient} from '../../../kube/transport.ts';
import {NODE} from '../../../kube/types.ts';
import {createHostPower} from '../hypervisor/host-power.ts';
import {AddressPool} from './addresses.ts';
import type {Config} from './config.ts';
import {ownAddresses, proxyEnvironment, startRefusingProxy} from './local-only.ts';
import {RUNNER_POD} from './pod.ts';
import {createPodWriter} from './pod-writer.ts';
import {cdiPrograms} from './programs.ts';
import {containerProcesses} from './process.ts';
import {createReader} from './reader.ts';
import {startRunner} from './runner.ts';

const SYNC_DEADLINE_MS = 60_000;

/** Runs until `signal` aborts. Rejects when it cannot start. */
export async function runPodRunner(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const client = createClient({
    kubeConfig: loadKubeConfig({path: config.kubeconfig}),
    userAgent: 'basalt-podrunner',
    fieldManager: 'basalt-podrunner',
    log,
  });
  const proxy = {host: '127.0.0.1', port: config.proxyPort};
  const stopping: (() => Promise<void>)[] = [() => client.close()];
  try {
    const refusing = await startRefusingProxy(proxy.host, proxy.port);
    stopping.unshift(() => refusing.close());
    const pods = createInformer({client, type: RUNNER_POD, clock, log});
    const nodes = createInformer({client, type: NODE, clock, log});
    for (const informer of [pods, nodes]) informer.start(signal);
    const synced = AbortSignal.any([signal, AbortSignal.timeout(SYNC_DEADLINE_MS)]);
    await Promise.all([pods.waitForSync(synced), nodes.waitForSync(synced)]);
    const runner = startRunner(pods, createHostPower(nodes), {
      writer: createPodWriter({client, pods, clock, log}),
      programs: cdiPrograms(config.bin),
      addresses: new AddressPool(config.addressPrefix),
      hostAddress: config.hostAddress,
      root: config.folder,
      logs: config.logs,
      environment: proxyEnvironment(proxy, [...ownAddresses(), `${config.addressPrefix}0/24`]),
      processes: (folder, logFile) => containerProcesses({folder, logFile, clock}),
      reader: (pod) => createReader(client, pods, pod, signal),
      clock,
      log,
    });
    stopping.unshift(() => runner.stop());
    log.info({addresses: `${config.addressPrefix}0/24`, pods: runner.size}, 'pod runner ready');
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), {once: true});
    });
    log.info({why: String(signal.reason), pods: runner.size}, 'stopping; the processes of pods go on');
  } finally {
    for (const end of stopping) await end();
  }
}
