/** The REST side over HTTP: bodies, answers and websockets; who may call is the caller's affair (server.ts). */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import type {Logger} from '../../../../kube/log.ts';
import {GuestVerbError} from '../guest.ts';
import type {Guest, GuestDevice} from '../guest.ts';
import {answer, notAvailable, parsePath} from './routes.ts';
import type {Answer, RouteContext} from './routes.ts';
import type {Sessions} from './sessions.ts';

/** Options of {@link createHandlers}. */
export interface HandlerOptions {
  readonly context: RouteContext;
  readonly sessions: Sessions;
  readonly log: Logger;
  /** Why the caller may not call; undefined when it may. */
  readonly refuse: (request: IncomingMessage) => string | undefined;
}

/** Listeners for a server's `request` and `upgrade` events. */
export interface Handlers {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const MAX_BODY_BYTES = 1 << 20;
/** Deadline of a verb, in milliseconds. */
export const VERB_TIMEOUT_MS = 30_000;

/** Creates the listeners. */
export function createHandlers(options: HandlerOptions): Handlers {
  const {context, log} = options;

  const respond = async (request: IncomingMessage): Promise<Answer> => {
    // `reset` and `softreboot` arrive with a chunked body: bytes left unread would reset the connection under virt-api's answer.
    if (!(await drained(request))) return {status: 400, text: `the body is larger than ${MAX_BODY_BYTES} bytes`};
    const refusal = options.refuse(request);
    if (refusal !== undefined) return {status: 403, text: refusal};
    const path = parsePath(request.url ?? '');
    if (path === undefined) return {status: 404, text: `no such path: ${request.url ?? ''}`};
    if (path.verb === 'console' || path.verb === 'vnc') return {status: 400, text: `${path.verb} is a websocket`};
    return answer({...path, method: request.method ?? ''}, context, AbortSignal.timeout(VERB_TIMEOUT_MS));
  };

  const respondSafely = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let result: Answer;
    try {
      result = await respond(request);
    } catch (error) {
      log.error({err: error, method: request.method, path: request.url}, 'request failed');
      result = {status: 500, text: error instanceof Error ? error.message : String(error)};
    }
    log.debug({method: request.method, path: request.url, status: result.status}, 'request');
    const {type, body} = encode(result);
    response.writeHead(result.status, {'content-type': type, 'content-length': body.length});
    response.end(body);
  };

  // A refused websocket is answered over plain HTTP; the text travels through virt-api to its caller.
  const upgradeOrRefuse = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Answer | undefined> => {
    const refusal = options.refuse(request);
    if (refusal !== undefined) return {status: 403, text: refusal};
    const path = parsePath(request.url ?? '');
    if (path === undefined) return {status: 404, text: `no such path: ${request.url ?? ''}`};
    const guest: Guest | undefined = context.table.get(path.key)?.guest;
    if (guest === undefined) return {status: 404, text: `no guest of VirtualMachineInstance ${path.key} runs here`};
    const device = DEVICES.find((each) => each === path.verb);
    if (device === undefined) return notAvailable(`the ${path.verb} websocket`, guest);
    const target = {key: path.key, device, guest};
    if (device === 'vnc' && wantsToDisturbNobody(request) && options.sessions.has(target))
      return {status: 503, text: 'somebody else has the screen, and preserveSession=true asks to leave it to them'};
    try {
      const opened = await options.sessions.open(request, socket, head, target);
      return opened ? undefined : notAvailable(`the ${device} websocket`, guest);
    } catch (error) {
      if (error instanceof GuestVerbError) return {status: 409, text: error.message};
      log.error({err: error, path: request.url}, 'websocket');
      return {status: 500, text: error instanceof Error ? error.message : String(error)};
    }
  };

  return {
    request: (request, response) => void respondSafely(request, response),
    upgrade(request, socket, head) {
      socket.on('error', (error) => log.debug({err: error}, 'websocket connection'));
      void upgradeOrRefuse(request, socket, head).then((result) => {
        if (result === undefined) return;
        const {type, body} = encode(result);
        const lines = [`HTTP/1.1 ${result.status} Refused`, `content-type: ${type}`, `content-length: ${body.length}`, 'connection: close'];
        socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]));
      });
    },
  };
}

const DEVICES: readonly GuestDevice[] = ['console', 'vnc'];

/** virt-api's own parameter of vnc; it sends `false` where its caller says nothing. */
const wantsToDisturbNobody = ({url = ''}: IncomingMessage): boolean =>
  new URL(url, 'http://handler').searchParams.get('preserveSession') === 'true';

async function drained(request: IncomingMessage): Promise<boolean> {
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) return false;
  }
  return true;
}

function encode(result: Answer): {readonly type: string; readonly body: Buffer} {
  if ('png' in result) return {type: 'image/png', body: result.png};
  if ('json' in result) return {type: 'application/json', body: Buffer.from(JSON.stringify(result.json))};
  return {type: 'text/plain; charset=utf-8', body: Buffer.from(result.text)};
}
