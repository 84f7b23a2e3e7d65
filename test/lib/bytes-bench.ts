/** What the test of bytes does: makes Images and Drives, follows their status, looks at the disks behind them, and uploads as CDI's proxy does. */
import {execFileSync} from 'node:child_process';
import {createHash, randomUUID} from 'node:crypto';
import {closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync} from 'node:fs';
import {request} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DRIVE, IMAGE} from '../../crds/index.ts';
import type {Drive, DriveSpec, Image, ImageSpec} from '../../crds/index.ts';
import {systemClock} from '../../kube/clock.ts';
import type {KubeClient} from '../../kube/client.ts';
import {isNotFound} from '../../kube/errors.ts';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';
import {createClient} from '../../kube/transport.ts';
import {PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD} from '../../kube/types.ts';
import type {Pod} from '../../kube/types.ts';

const WAIT_MS = 60_000;
const POLL_MS = 100; /** CDI's upload servers admit this name only, from their own authority. */
const UPLOAD_CLIENT = 'client.upload-server.cdi.kubevirt.io';

/** A disk as it lies on this machine. */
export interface Disk {
  readonly path: string;
  readonly sizeBytes: number;
}

/** One test's objects in the demo account. */
export class BytesBench {
  readonly namespace = 'acct-demo';
  readonly #client: KubeClient;
  readonly #suffix = randomUUID().slice(0, 6);
  readonly #made: {readonly type: ResourceType; readonly name: string}[] = [];

  constructor(kubeconfig: string) {
    this.#client = createClient({
      kubeConfig: loadKubeConfig({path: kubeconfig}),
      userAgent: 'bytes-test',
      fieldManager: 'bytes-test',
      log: silentLogger,
    });
  }

  /** The name that an object of the test has in the cluster. */
  name(short: string): string {
    return `${short}-${this.#suffix}`;
  }

  async createImage(short: string, spec: Omit<ImageSpec, 'name'>): Promise<void> {
    await this.#create(IMAGE, 'Image', short, spec);
  }

  async createDrive(short: string, spec: Omit<DriveSpec, 'name'>): Promise<void> {
    await this.#create(DRIVE, 'Drive', short, spec);
  }

  /** Waits until the image is as wanted; resolves with it. `seen` is called with every state that is read on the way. */
  image(short: string, want: (image: Image) => boolean, seen?: (image: Image) => void): Promise<Image> {
    return this.#until(IMAGE, short, want, seen);
  }

  drive(short: string, want: (drive: Drive) => boolean): Promise<Drive> {
    return this.#until(DRIVE, short, want);
  }

  /** The disk of a claim of the demo account. */
  async disk(claim: string): Promise<Disk> {
    const {spec} = await this.#client.get(PERSISTENT_VOLUME_CLAIM, {namespace: this.namespace, name: claim});
    const volume = await this.#client.get(PERSISTENT_VOLUME, {name: spec?.volumeName ?? ''});
    const path = join(volume.spec.hostPath?.path ?? '', 'disk.img');
    const file = openSync(path, 'r');
    try {
      return {path, sizeBytes: fstatSync(file).size};
    } finally {
      closeSync(file);
    }
  }

  /** Folders of the volumes of all claims that the test's objects have. */
  async folders(): Promise<string[]> {
    const {items} = await this.#client.list(PERSISTENT_VOLUME);
    return items.filter(({spec}) => spec.claimRef?.name.includes(this.#suffix)).map(({spec}) => spec.hostPath?.path ?? '');
  }

  async pod(name: string): Promise<Pod> {
    return await this.#client.get(POD, {namespace: this.namespace, name});
  }

  /** Uploads to the upload server of a claim, with a certificate signed as CDI's upload proxy has one. Resolves with the status. */
  async upload(claim: string, bytes: Buffer, pki: string): Promise<number> {
    const service = `cdi-upload-${claim}`;
    const {status} = await this.pod(service);
    const tls = {
      ...clientCertificate(pki),
      ca: readFileSync(join(pki, 'uploadserver.crt')),
      servername: `${service}.${this.namespace}.svc`,
    };
    return await new Promise((resolve, reject) => {
      const post = request(
        {...tls, host: status?.podIP, port: 8443, path: '/v1beta1/upload', method: 'POST', agent: false, timeout: WAIT_MS},
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve(answer.statusCode ?? 0));
        },
      );
      post.once('error', reject).once('timeout', () => post.destroy(new Error('the upload server does not answer')));
      post.end(bytes);
    });
  }

  /** Deletes what the test made, and waits until it is gone. */
  async removeAll(): Promise<void> {
    const all = this.#made.splice(0);
    for (const {type, name} of all.toReversed()) await this.#unlessGone(this.#client.delete(type, {namespace: this.namespace, name}));
    for (const {type, name} of all) {
      await eventually(`${name} gone`, async () =>
        (await this.#unlessGone(this.#client.get(type, {namespace: this.namespace, name}))) === undefined ? true : undefined,
      );
    }
  }

  /** Removes all and ends the connections. */
  async close(): Promise<void> {
    await this.removeAll();
    await this.#client.close();
  }

  async #create<T extends KubeObject>(type: ResourceType<T>, kind: string, short: string, spec: object): Promise<void> {
    const name = this.name(short);
    const metadata = {name, namespace: this.namespace};
    const object = {apiVersion: `${type.group}/${type.version}`, kind, metadata, spec: {name, ...spec}};
    this.#made.push({type: type as unknown as ResourceType, name});
    await this.#client.create(type, object as unknown as T);
  }

  async #until<T extends KubeObject>(
    type: ResourceType<T>,
    short: string,
    want: (object: T) => boolean,
    seen?: (object: T) => void,
  ): Promise<T> {
    return await eventually(`${type.kind} ${short}`, async (note) => {
      const object = await this.#client.get(type, {namespace: this.namespace, name: this.name(short)});
      seen?.(object);
      note(JSON.stringify((object as {status?: unknown}).status));
      return want(object) ? object : undefined;
    });
  }

  async #unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** Polls until there is an answer, a minute at most. `note` keeps words for the error. */
export async function eventually<T>(what: string, ask: (note: (words: string) => void) => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  let last = '';
  for (;;) {
    const answer = await ask((words) => void (last = words));
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${WAIT_MS / 1000} s; last seen: ${last}`);
    await systemClock.sleep(POLL_MS);
  }
}

/** A condition as `status reason`, and its message. */
export function conditionOf(object: Image | Drive, type: string): {readonly said: string; readonly message: string} {
  const found = object.status?.conditions?.find((condition) => condition.type === type);
  return {said: `${found?.status} ${found?.reason}`, message: found?.message ?? ''};
}

/** SHA-256 of the first bytes of a file. */
export function sumOf(path: string, bytes: number): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1024 * 1024);
  const file = openSync(path, 'r');
  try {
    for (let at = 0; at < bytes;) {
      const got = readSync(file, buffer, 0, Math.min(buffer.length, bytes - at), at);
      if (got === 0) throw new Error(`${path} has only ${at} bytes`);
      hash.update(buffer.subarray(0, got));
      at += got;
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function clientCertificate(pki: string): {readonly cert: Buffer; readonly key: Buffer} {
  const folder = mkdtempSync(join(tmpdir(), 'basalt-upload-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, {stdio: ['ignore', 'ignore', 'pipe']});
  try {
    writeFileSync(file('use'), 'extendedKeyUsage=clientAuth\n');
    openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${UPLOAD_CLIENT}`, '-keyout', file('key'), '-out', file('csr'));
    const authority = ['-CA', join(pki, 'uploadclient.crt'), '-CAkey', join(pki, 'uploadclient.key'), '-set_serial', '2'];
    openssl('x509', '-req', '-in', file('csr'), ...authority, '-days', '1', '-extfile', file('use'), '-out', file('crt'));
    return {cert: readFileSync(file('crt')), key: readFileSync(file('key'))};
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
