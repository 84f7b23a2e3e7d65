/**
 * KubeVirt and CDI for scenario tests: takes what the operator wrote on the fake API server, step by step, through the same states as
 * virt-controller 1.9 (watch/vm/vm.go: syncRunStrategy, updateStatus) and CDI would. Tests decide what the guest does.
 */
import type {FakeApiServer} from '../../../../kube/testing/fake-api-server.ts';
import {refOfObject} from '../../../../kube/objects.ts';
import type {KubeObject, ResourceType} from '../../../../kube/objects.ts';
import {PERSISTENT_VOLUME_CLAIM} from '../../../../kube/types.ts';
import type {PersistentVolumeClaim} from '../../../../kube/types.ts';
import {DATA_VOLUME, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../../kubevirt/types.ts';
import type {DataVolume, VirtualMachine, VirtualMachineInstance} from '../../../kubevirt/types.ts';

const VM_FINALIZER = 'kubevirt.io/virtualMachineControllerFinalize';
const VMI_FINALIZER = 'foregroundDeleteVirtualMachine';
const TIME = '2026-01-01T00:00:00Z';
const PHASES = ['Pending', 'Scheduling', 'Scheduled', 'Running'];

type Status = Record<string, unknown>;
type Mutable<T> = T & {status?: Status};

/** What a guest does when it is asked, by name of the server. */
export interface GuestHabits {
  /** Ignores the power button: only a grace of 0 ends it. */
  deaf?: boolean;
  /** No host has room. */
  unschedulable?: string;
}

export class FakeKubeVirt {
  readonly #server: FakeApiServer;
  readonly habits = new Map<string, GuestHabits>();
  /** Subresource calls as `<verb> <name> <body>`, in order. */
  readonly calls: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(server: FakeApiServer) {
    this.#server = server;
    server.on('PUT', /^\/apis\/subresources\.kubevirt\.io\//, ({path, body}) => {
      const [, kind = '', name = '', verb = ''] = /\/(virtualmachines|virtualmachineinstances)\/([^/]+)\/(\w+)$/.exec(path) ?? [];
      this.calls.push(`${verb} ${name} ${JSON.stringify(body)}`);
      return this.#subresource(path, kind, name, verb, body as {gracePeriod?: number});
    });
  }

  /** Works on its own from now on. */
  start(): void {
    this.#timer = setInterval(() => this.step(), 1);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The guest switches itself off (Succeeded) or crashes (Failed), at a time; `why`: virt-handler's words on it. */
  end(name: string, phase: 'Succeeded' | 'Failed', at = TIME, why?: string): void {
    const instance = this.#all(VIRTUAL_MACHINE_INSTANCE).find(({metadata}) => metadata.name === name);
    if (instance !== undefined)
      this.#status(VIRTUAL_MACHINE_INSTANCE, instance, {
        phase,
        phaseTransitionTimestamps: [{phase, phaseTransitionTimestamp: at}],
        ...(why === undefined ? {} : {conditions: [{type: 'Synchronized', status: 'False', reason: 'GuestCrashed', message: why}]}),
      });
  }

  /** The guest's pod is evicted: KubeVirt marks the instance, the guest shuts down in time, nothing starts it again. */
  evict(name: string): void {
    const instance = this.#all(VIRTUAL_MACHINE_INSTANCE).find(({metadata}) => metadata.name === name);
    if (instance !== undefined) this.#status(VIRTUAL_MACHINE_INSTANCE, instance, {evacuationNodeName: 'node-1'});
  }

  /** One round of every controller. */
  step(): void {
    for (const volume of this.#all(DATA_VOLUME)) this.#stepVolume(volume);
    for (const claim of this.#all(PERSISTENT_VOLUME_CLAIM)) this.#stepClaim(claim);
    for (const machine of this.#all(VIRTUAL_MACHINE)) this.#stepMachine(machine);
    for (const instance of this.#all(VIRTUAL_MACHINE_INSTANCE)) this.#stepInstance(instance);
  }

  #all<T extends KubeObject>(type: ResourceType<T>): readonly T[] {
    return this.#server.objects(type);
  }

  #status<T extends KubeObject>(type: ResourceType<T>, object: T, status: Status): void {
    const before = (object as Mutable<T>).status;
    const after = {...before, ...status};
    if (JSON.stringify(before) !== JSON.stringify(after)) this.#server.put(type, {...object, status: after});
  }

  #stepVolume(volume: DataVolume): void {
    const {namespace = '', name, uid = ''} = volume.metadata;
    if (volume.metadata.deletionTimestamp !== undefined) return;
    const claim = this.#server.object(PERSISTENT_VOLUME_CLAIM, {namespace, name});
    if (claim === undefined) {
      const ownerReferences = [{apiVersion: volume.apiVersion, kind: 'DataVolume', name, uid, controller: true}];
      const spec = {...volume.spec.storage} as PersistentVolumeClaim['spec'];
      this.#server.put(PERSISTENT_VOLUME_CLAIM, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {name, namespace, ownerReferences},
        ...(spec === undefined ? {} : {spec}),
      });
      return;
    }
    if (volume.spec.source?.http?.url.includes('fail') === true) {
      const message = 'Unable to process data: expected status code 200, got 404. Status: 404 Not Found';
      this.#status(DATA_VOLUME, volume, {
        phase: 'ImportInProgress',
        restartCount: 3,
        conditions: [{type: 'Running', status: 'False', reason: 'Error', message}],
      });
      return;
    }
    const copying = volume.spec.source?.http === undefined ? 'CloneInProgress' : 'ImportInProgress';
    const next = {undefined: copying, [copying]: 'Succeeded', Succeeded: 'Succeeded'}[String(volume.status?.phase)];
    this.#status(DATA_VOLUME, volume, {phase: next, progress: next === 'Succeeded' ? '100.0%' : '50.0%'});
  }

  #stepClaim(claim: PersistentVolumeClaim): void {
    if (claim.status?.phase === 'Bound') return;
    this.#status(PERSISTENT_VOLUME_CLAIM, claim, {
      phase: 'Bound',
      capacity: {storage: claim.spec?.resources?.requests?.['storage'] ?? '0'},
    });
  }

  #stepMachine(machine: VirtualMachine): void {
    const ref = refOfObject(machine);
    const instance = this.#server.object(VIRTUAL_MACHINE_INSTANCE, ref);
    if (machine.metadata.deletionTimestamp !== undefined) {
      if (instance === undefined) this.#server.remove(VIRTUAL_MACHINE, ref);
      else if (this.#isFinal(instance)) this.#server.remove(VIRTUAL_MACHINE_INSTANCE, ref);
      else this.#markDeleted(instance);
      return;
    }
    if (machine.metadata.finalizers?.includes(VM_FINALIZER) !== true) {
      this.#server.put(VIRTUAL_MACHINE, {...machine, metadata: {...machine.metadata, finalizers: [VM_FINALIZER]}});
      return;
    }
    const requests = (machine.status?.stateChangeRequests ?? []) as readonly {readonly action: string}[];
    let after = requests;
    const asked = requests.some(({action}) => action === 'Start');
    const wanted = machine.spec.runStrategy;
    if (wanted === 'Halted' && instance !== undefined) this.#markDeleted(instance);
    if (
      wanted === 'RerunOnFailure' &&
      instance !== undefined &&
      this.#isFinal(instance) &&
      instance.metadata.deletionTimestamp === undefined
    ) {
      this.#markDeleted(instance);
      if (instance.status?.phase === 'Failed') after = [{action: 'Start'}];
    }
    const starts = wanted === 'RerunOnFailure' && instance === undefined && (asked || machine.status?.runStrategy !== wanted);
    if (starts) this.#createInstance(machine);
    const created = instance !== undefined;
    if (created && asked && !this.#isFinal(instance)) after = [];
    const seen = machine.status?.runStrategy !== undefined || created ? {runStrategy: wanted} : {};
    const observed = created ? {observedGeneration: Number(instance.metadata.annotations?.['kubevirt.io/vm-generation'] ?? 1)} : {};
    this.#status(VIRTUAL_MACHINE, machine, {created, ...seen, ...observed, stateChangeRequests: after.length === 0 ? undefined : after});
    if (created && this.#isFinal(instance) && instance.metadata.deletionTimestamp !== undefined)
      this.#server.remove(VIRTUAL_MACHINE_INSTANCE, ref);
  }

  #isFinal(instance: VirtualMachineInstance): boolean {
    return instance.status?.phase === 'Succeeded' || instance.status?.phase === 'Failed';
  }

  #createInstance(machine: VirtualMachine): void {
    const {name, namespace = '', uid = '', generation = 1} = machine.metadata;
    this.#server.put(VIRTUAL_MACHINE_INSTANCE, {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      metadata: {
        name,
        namespace,
        finalizers: [VMI_FINALIZER],
        annotations: {...machine.spec.template.metadata?.annotations, 'kubevirt.io/vm-generation': String(generation)},
        ownerReferences: [{apiVersion: machine.apiVersion, kind: 'VirtualMachine', name, uid, controller: true}],
      },
      spec: machine.spec.template.spec as VirtualMachineInstance['spec'],
      status: {phase: 'Pending'},
    });
  }

  #markDeleted(instance: VirtualMachineInstance): void {
    if (instance.metadata.deletionTimestamp !== undefined) return;
    this.#server.put(VIRTUAL_MACHINE_INSTANCE, {...instance, metadata: {...instance.metadata, deletionTimestamp: TIME}});
  }

  #stepInstance(instance: VirtualMachineInstance): void {
    const {namespace = '', name, deletionTimestamp} = instance.metadata;
    const habits = this.habits.get(name) ?? {};
    if (this.#isFinal(instance)) return;
    if (deletionTimestamp !== undefined) {
      const killed = instance.spec.terminationGracePeriodSeconds === 0;
      if (habits.deaf !== true || killed) this.#status(VIRTUAL_MACHINE_INSTANCE, instance, {phase: killed ? 'Failed' : 'Succeeded'});
      return;
    }
    if (instance.status?.evacuationNodeName !== undefined) {
      this.#status(VIRTUAL_MACHINE_INSTANCE, instance, {phase: 'Succeeded'});
      return;
    }
    if (habits.unschedulable !== undefined) {
      this.#status(VIRTUAL_MACHINE_INSTANCE, instance, {
        phase: 'Scheduling',
        conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: habits.unschedulable}],
      });
      return;
    }
    const filled = (instance.spec.volumes ?? []).every(({persistentVolumeClaim}) => {
      if (persistentVolumeClaim === undefined) return true;
      const ref = {namespace, name: persistentVolumeClaim.claimName};
      const volume = this.#server.object(DATA_VOLUME, ref);
      const claim = this.#server.object(PERSISTENT_VOLUME_CLAIM, ref);
      return claim !== undefined && (volume === undefined || volume.status?.phase === 'Succeeded');
    });
    if (!filled) return;
    const phase = PHASES[Math.min(PHASES.indexOf(instance.status?.phase ?? 'Pending') + 1, PHASES.length - 1)];
    const conditions =
      phase === 'Running'
        ? [
            {type: 'Ready', status: 'True'},
            {type: 'LiveMigratable', status: 'False', reason: 'DisksNotLiveMigratable', message: 'claim is not shared'},
          ]
        : [];
    const since = phase === 'Running' ? {phaseTransitionTimestamps: [{phase, phaseTransitionTimestamp: TIME}]} : {};
    this.#status(VIRTUAL_MACHINE_INSTANCE, instance, {
      phase,
      conditions,
      ...since,
      ...(phase === 'Scheduled' || phase === 'Running' ? {nodeName: 'node-1'} : {}),
    });
  }

  #subresource(path: string, kind: string, name: string, verb: string, body: {gracePeriod?: number}): {status: number; body?: object} {
    const namespace = /namespaces\/([^/]+)/.exec(path)?.[1] ?? '';
    const instance = this.#server.object(VIRTUAL_MACHINE_INSTANCE, {namespace, name});
    const machine = this.#server.object(VIRTUAL_MACHINE, {namespace, name});
    const conflict = (message: string) => ({
      status: 409,
      body: {kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409, message},
    });
    if (kind === 'virtualmachines' && machine === undefined)
      return {status: 404, body: {kind: 'Status', reason: 'NotFound', code: 404, message: 'no such machine'}};
    if (verb === 'start' && machine !== undefined) {
      if (instance !== undefined) return conflict('VM is already running');
      this.#status(VIRTUAL_MACHINE, machine, {stateChangeRequests: [{action: 'Start'}]});
      return {status: 202};
    }
    if (instance === undefined || this.#isFinal(instance)) return conflict('VM is not running');
    if (verb === 'stop' && body.gracePeriod !== undefined) {
      this.#server.put(VIRTUAL_MACHINE_INSTANCE, {...instance, spec: {...instance.spec, terminationGracePeriodSeconds: body.gracePeriod}});
    }
    return {status: 202};
  }
}
