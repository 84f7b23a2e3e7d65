/** Puts the hypervisor together and runs it until its signal aborts. */
import {systemClock} from '../../../kube/clock.ts';
import type {Clock} from '../../../kube/clock.ts';
import type {KubeClient} from '../../../kube/client.ts';
import type {Logger} from '../../../kube/log.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {loadKubeConfig} from '../../../kube/pooled-kube-config.ts';
import {NODE, POD} from '../../../kube/types.ts';
import {createEventRecorder} from '../../../kube/events.ts';
import {createInformer} from '../../../kube/reflector.ts';
import {createClient} from '../../../kube/transport.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {Config} from './config.ts';
import {createGuestTable} from './guest-table.ts';
import type {GuestDrivers} from './guest-table.ts';
import {startHealthServer} from './health.ts';
import {startHeartbeats} from './heartbeats.ts';
import {createHostPower} from './host-power.ts';
import {BY_VMI, createLauncherPods, vmiKeyOf} from './launcher-pods.ts';
import {startLifeCycle} from './life-cycle.ts';
import {startDataVolumeController} from './light/data-volume-controller.ts';
import {startVmController} from './light/vm-controller.ts';
import {createScrape} from './metrics/scrape.ts';
import {startRestServer} from './rest/server.ts';
import {createClusterNetworks} from './net/cluster-networks.ts';
import {removeStaleReach} from './net/stale-reach.ts';
import {createQemuDriver} from './qemu/driver.ts';
import {livingGuests} from './qemu/state-file.ts';
import {createSimulatedDriver} from './simulated-guest.ts';
import {DATA_VOLUME, LABELS, VM, VMI} from './types.ts';
import type {Vmi} from './types.ts';
import {createVmiWriter} from './vmi-writer.ts';

/** What a hypervisor needs from outside. */
export interface HypervisorOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly readFile: (path: string) => string;
  readonly clock?: Clock;
}

const SYNC_DEADLINE_MS = 60_000;
/** Finding guests again takes milliseconds each; one that cannot be found keeps nobody waiting for ever. */
const ADOPTION_MS = 10_000;
const ADOPTION_POLL_MS = 20;
/** Address that migration targets name where there is no REST side (light mode). */
const NO_ADDRESS = '127.0.0.1';

/** Runs until `signal` aborts, then lets running work end and resolves. Rejects when it cannot start. */
export async function runHypervisor(options: HypervisorOptions, signal: AbortSignal): Promise<void> {
  const {config, log} = options;
  const clock = options.clock ?? systemClock;
  const connect = (path: string): KubeClient =>
    createClient({kubeConfig: loadKubeConfig({path}), userAgent: 'basalt-hypervisor', fieldManager: 'basalt-hypervisor', log});
  // virt-api reverts statuses of VMIs by anybody but KubeVirt's own accounts; pods need an administrator. Light mode has no virt-api.
  const admin = connect(config.adminKubeconfig);
  const handler = config.light ? admin : connect(config.kubeconfig);
  const events = createEventRecorder({client: admin, component: 'virt-handler', clock, log});
  const qemu =
    config.qemu === undefined
      ? undefined
      : createQemuDriver({
          ...config.qemu,
          client: admin,
          networks: createClusterNetworks({...config.cluster, client: admin, clock, log}),
          events,
          limits: config.limits,
          clock,
          log,
        });
  const drivers: GuestDrivers = {
    simulated: createSimulatedDriver({clock, ...(config.light ? {times: {startMs: 0}} : {})}),
    ...(qemu === undefined ? {} : {qemu}),
  };
  const stopping: (() => Promise<void>)[] = [
    () => admin.close(),
    ...(config.light ? [] : [() => handler.close()]),
    ...Object.values(drivers).map((driver) => () => driver.close()),
  ];
  try {
    if (drivers[config.guests] === undefined)
      throw new Error(`GUESTS=${config.guests}: this version has no such guests (there is: ${Object.keys(drivers).join(', ')})`);
    const informer = <T extends KubeObject>(client: KubeClient, type: ResourceType<T>): Informer<T> =>
      createInformer({client, type, clock, log});
    const vmis = informer(handler, VMI);
    const pods = createInformer({client: admin, type: POD, labelSelector: LABELS.launcher, indexes: {[BY_VMI]: vmiKeyOf}, clock, log});
    const nodes = informer(admin, NODE);
    const power = createHostPower(nodes);
    const light = config.light ? {vms: informer(admin, VM), nodes, volumes: informer(admin, DATA_VOLUME)} : undefined;
    const all: readonly Pick<Informer<KubeObject>, 'start' | 'waitForSync'>[] = [
      vmis,
      pods,
      ...(light === undefined ? [nodes] : Object.values(light)),
    ];
    const table = createGuestTable();
    let ready = false;
    if (config.health !== undefined) {
      const health = await startHealthServer({
        ...config.health,
        ready: () => ready,
        guests: () => table.size,
        measures: createScrape({
          table,
          labelsOf: (key) => vmis.get(key)?.metadata.labels ?? {},
          monotonicMs: () => clock.monotonicMs(),
          log,
        }),
      });
      stopping.unshift(() => health.close());
    }
    for (const one of all) one.start(signal);
    await Promise.all(all.map((one) => one.waitForSync(AbortSignal.any([signal, AbortSignal.timeout(SYNC_DEADLINE_MS)]))));

    // A host that lost its power while nobody watched has taken its guests with it, too.
    const strays = await qemu?.endStrays((uid) =>
      vmis.list().some(({metadata, status}) => metadata.uid === uid && !power.isOff(status?.nodeName)),
    );
    if (strays !== undefined && strays.length > 0) log.warn({guests: strays}, 'ended guests that had outlived their VMIs');
    if (qemu !== undefined) await removeStaleReach({client: admin, vmis: vmis.list(), lives: livingGuests(config.qemu?.root ?? ''), log});
    const lifeCycle = startLifeCycle({
      vmis,
      pods,
      writer: createVmiWriter({client: handler, informer: vmis, clock}),
      launchers: createLauncherPods({client: admin, pods, clock}),
      drivers,
      mode: config.guests,
      table,
      events,
      power,
      address: config.rest?.host ?? NO_ADDRESS,
      clock,
      log,
      workers: config.workers,
    });
    stopping.unshift(() => lifeCycle.stop());
    if (light === undefined) {
      const heartbeats = startHeartbeats({client: admin, nodes, power, clock, log});
      stopping.unshift(() => heartbeats.stop());
    } else {
      const common = {client: admin, clock, log, workers: config.workers};
      const controllers = [startVmController({...light, vmis, ...common}), startDataVolumeController({...light, ...common})];
      stopping.unshift(...controllers.map((controller) => () => controller.stop()));
    }
    if (config.rest !== undefined) {
      const {host, port} = config.rest;
      const [cert, key, ca] = [config.rest.cert, config.rest.key, config.rest.ca].map(options.readFile) as [string, string, string];
      const rest = await startRestServer({
        host,
        port,
        cert,
        key,
        ca,
        clock,
        log,
        context: {table, setPaused: (vmi, paused, call) => lifeCycle.setPaused(vmi, paused, call)},
      });
      stopping.unshift(() => rest.close());
    }
    // Guests that an earlier run left are to be found before anybody counts on this one.
    const isUnknown = (vmi: Vmi): boolean =>
      vmi.status?.phase === 'Running' && !power.isOff(vmi.status.nodeName) && table.get(keyOf(refOfObject(vmi))) === undefined;
    for (const end = clock.monotonicMs() + ADOPTION_MS; vmis.list().some(isUnknown) && clock.monotonicMs() < end;)
      await clock.sleep(ADOPTION_POLL_MS, signal);
    ready = true;
    log.info(
      {
        light: config.light,
        guests: config.guests,
        listen: config.rest === undefined ? null : `${config.rest.host}:${config.rest.port}`,
        vmis: vmis.size,
      },
      'hypervisor ready',
    );
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), {once: true});
    });
    log.info({why: String(signal.reason)}, 'stopping');
  } finally {
    for (const end of stopping) await end();
  }
}
