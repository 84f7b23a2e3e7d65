/** The operator of the scenario tests: its controllers of servers, drives and images on the fake API server, with KubeVirt and CDI played. */
import {ACCOUNT, DRIVE, FLAVOR, IMAGE, NETWORK, SERVER} from '../../../../crds/index.ts';
import type {Drive, Image, Network, Server} from '../../../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../../../kube/objects.ts';
import type {FakeClock} from '../../../../kube/testing/fake-clock.ts';
import {startHarness} from '../../../testing/harness.ts';
import type {Harness} from '../../../testing/harness.ts';
import {createDriveController} from '../../drive/controller.ts';
import {createImageController} from '../../image/controller.ts';
import {createSecretController} from '../../secret/controller.ts';
import {createServerOperationController} from '../../serveroperation/controller.ts';
import {createServerController} from '../controller.ts';
import {FakeKubeVirt} from './fake-kubevirt.ts';

/** Namespace of the account. */
export const NS = 'acct-demo';
const apiVersion = 'basalt.dev/v1alpha1';
const PUBLIC = {namespace: 'basalt-system', name: 'public'};

/** A condition of an object. */
export const conditionOf = (server: Server, type: string) => server.status?.conditions?.find((condition) => condition.type === type);

/** See the top of this file. */
export class Scenario {
  readonly operator: Harness;
  readonly kubevirt: FakeKubeVirt;

  private constructor(operator: Harness) {
    this.operator = operator;
    this.kubevirt = new FakeKubeVirt(operator.server);
  }

  /** Starts it, with a flavor `small` and the public network. */
  static async start(): Promise<Scenario> {
    const operator = await startHarness({
      controllers: (deps) => [
        createImageController(deps),
        createDriveController(deps),
        createServerController(deps),
        createSecretController(deps),
        createServerOperationController(deps),
      ],
    });
    const scenario = new Scenario(operator);
    scenario.kubevirt.start();
    operator.server.put(FLAVOR, {
      apiVersion,
      kind: 'Flavor',
      metadata: {name: 'small'},
      spec: {name: 'Small', vcpus: 2, memoryMiB: 2048, diskGiB: 3, visibility: 'Public', creation: 'Allowed', diskTemplate: 'local'},
    });
    scenario.putAccount('demo', NS);
    const network: Network = {
      apiVersion,
      kind: 'Network',
      metadata: PUBLIC,
      spec: {
        name: 'public',
        type: 'Public',
        cidr: '10.251.0.0/24',
        gateway: '10.251.0.1',
        ranges: [{start: '10.251.0.10', end: '10.251.0.20'}],
      },
      status: {nad: 'public', total: 11, free: 11},
    };
    operator.server.put(NETWORK, network);
    return scenario;
  }

  /** An account that has its namespace. */
  putAccount(name: string, namespace: string): void {
    this.operator.server.put(ACCOUNT, {
      apiVersion,
      kind: 'Account',
      metadata: {name},
      spec: {email: `${name}@example.org`},
      status: {namespace},
    });
  }

  async stop(): Promise<void> {
    this.kubevirt.stop();
    await this.operator.stop();
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: Omit<T, 'apiVersion' | 'kind'>): Promise<T> {
    return this.operator.deps.client.create(type, {apiVersion, kind: type.kind, ...object} as unknown as T);
  }

  createServer(name: string, spec: Partial<Server['spec']> = {}, annotations: Readonly<Record<string, string>> = {}): Promise<Server> {
    return this.create<Server>(SERVER, {metadata: {name, namespace: NS, annotations}, spec: {name, flavor: 'small', ...spec}});
  }

  createDrive(name: string, spec: Partial<Drive['spec']> = {}): Promise<Drive> {
    return this.create<Drive>(DRIVE, {metadata: {name, namespace: NS}, spec: {name, sizeBytes: 1024 ** 3, ...spec}});
  }

  /** A public image. A URL with `fail` in it never imports. */
  createImage(name: string, url = 'http://images/ok.img'): Promise<Image> {
    return this.create<Image>(IMAGE, {
      metadata: {name, namespace: PUBLIC.namespace},
      spec: {name, visibility: 'Public', source: {http: {url}}},
    });
  }

  patch(name: string, spec: object): Promise<Server> {
    return this.operator.deps.client.mergePatch(SERVER, {namespace: NS, name}, {spec});
  }

  async delete<T extends KubeObject>(type: ResourceType<T>, name: string, namespace = NS): Promise<void> {
    await this.operator.deps.client.delete(type, {namespace, name});
  }

  /** Names of all objects of a kind in a namespace. */
  names<T extends KubeObject>(type: ResourceType<T>, namespace = NS): readonly string[] {
    return this.operator.server.objects(type, namespace).map(({metadata}) => metadata.name);
  }

  find<T extends KubeObject>(type: ResourceType<T>, name: string, namespace = NS): T | undefined {
    return this.operator.server.object(type, {namespace, name});
  }

  server(name: string, probe: (server: Server) => boolean): Promise<Server> {
    return this.operator.eventually<Server>(SERVER, name, probe, NS);
  }

  serverIs(name: string, phase: string, taskState = ''): Promise<Server> {
    return this.server(name, ({status}) => status?.phase === phase && (status.taskState ?? '') === taskState);
  }

  drive(name: string, probe: (drive: Drive) => boolean): Promise<Drive> {
    return this.operator.eventually<Drive>(DRIVE, name, probe, NS);
  }

  image(name: string, probe: (image: Image) => boolean): Promise<Image> {
    return this.operator.eventually<Image>(IMAGE, name, probe, PUBLIC.namespace);
  }

  get clock(): FakeClock {
    return this.operator.deps.clock as FakeClock;
  }

  /** Leases of the public network. */
  get leases() {
    return this.operator.server.object(NETWORK, PUBLIC)?.status?.leases ?? [];
  }
}
