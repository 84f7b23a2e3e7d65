/** KubeVirt's subresources of a running guest through kube-apiserver, with the login of a kubeconfig: websockets, and plain calls. */
import {rename, writeFile} from 'node:fs/promises';
import {request as httpsRequest} from 'node:https';
import type {RequestOptions} from 'node:https';
import WebSocket from 'ws';
import {loadKubeConfig} from '../../kube/pooled-kube-config.ts';

/** Which guest, and how to reach the cluster. */
export interface GuestAddress {
  /** Path of a kubeconfig. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Name of the VirtualMachineInstance, which is the server's. */
  readonly name: string;
  readonly signal?: AbortSignal;
}

const OPEN_TIMEOUT_MS = 30_000;

function urlOf({namespace, name}: GuestAddress, verb: string, server: string): URL {
  const path = `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}/virtualmachineinstances/${name}/${verb}`;
  return new URL(path, server);
}

async function login(kubeconfig: string): Promise<{readonly server: string; readonly options: RequestOptions}> {
  const config = loadKubeConfig({path: kubeconfig});
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return {server: config.getCurrentCluster()?.server ?? '', options};
}

/**
 * Opens the websocket of `console` or `vnc`.
 * It is paused: resume it when somebody listens, since the first bytes may be there already.
 * @throws Error with the answer's status and text when it is refused, or when it does not open within 30 s.
 */
export async function openWebSocket(address: GuestAddress, verb: 'console' | 'vnc'): Promise<WebSocket> {
  const {server, options} = await login(address.kubeconfig);
  const url = urlOf(address, verb, server);
  url.protocol = 'wss:';
  const {ca, cert, key, headers, rejectUnauthorized} = options;
  const tls = {
    ...(ca === undefined ? {} : {ca}),
    ...(cert === undefined ? {} : {cert}),
    ...(key === undefined ? {} : {key}),
    ...(rejectUnauthorized === undefined ? {} : {rejectUnauthorized}),
  };
  const socket = new WebSocket(url, ['plain.kubevirt.io'], {
    ...tls,
    headers: (headers ?? {}) as Record<string, string>,
    handshakeTimeout: OPEN_TIMEOUT_MS,
    perMessageDeflate: false,
  });
  socket.binaryType = 'nodebuffer';
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.pause();
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        reject(new Error(`${verb} of ${address.namespace}/${address.name}: ${refusalOf(response.statusCode, text)}`)),
      );
    });
    address.signal?.addEventListener('abort', () => socket.terminate(), {once: true});
  });
}

/** Pure: the message of kube-apiserver's Status, with what to look at where the guest is not there; any other text as it is. */
export function refusalOf(status: number | undefined, text: string): string {
  let message = text.trim();
  try {
    const parsed = JSON.parse(message) as {readonly kind?: string; readonly message?: string};
    if (parsed.kind === 'Status' && parsed.message !== undefined) message = parsed.message;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const hint = status === 404 ? ' (the name is the first column of `kubectl get servers`, and the server must run)' : '';
  return `${status} ${message}${hint}`;
}

/** The answer's body. Rejects with status and text for anything but 200. */
export async function getSubresource(address: GuestAddress, verb: string): Promise<Buffer> {
  const {server, options} = await login(address.kubeconfig);
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      urlOf(address, verb, server),
      {...options, timeout: OPEN_TIMEOUT_MS, ...(address.signal === undefined ? {} : {signal: address.signal})},
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`${verb} of ${address.namespace}/${address.name}: ${refusalOf(response.statusCode, body.toString())}`));
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error(`${verb}: no answer within ${OPEN_TIMEOUT_MS / 1000} s`)));
    call.on('error', reject);
    call.end();
  });
}

/** Writes a file whole or not at all. */
export async function writeWhole(file: string, content: Buffer): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
