/** REST against raw: what one create and one list cost over the api-server, next to the same through kube-apiserver. */
import {SERVER} from '../../crds/index.ts';
import {benchServer, names, need, type BenchContext} from './context.ts';
import {median, type Row} from './measure.ts';

const PAUSED = {'basalt.dev/paused': 'true'}; // the operator leaves it alone: only the write is measured

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function ok(response: Response): Promise<ArrayBuffer> {
  const body = await response.arrayBuffer();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${Buffer.from(body).toString('utf8').slice(0, 300)}`);
  return body;
}

/** One acknowledged create over Cyclades against one raw create of a Server, taken in turns. */
export async function measureCreate(context: BenchContext, count: number): Promise<Row> {
  const headers = {'X-Auth-Token': need(context, 'TOKEN'), 'Content-Type': 'application/json'};
  const url = `${need(context, 'COMPUTE_URL')}/servers`;
  const images = JSON.parse(Buffer.from(await ok(await fetch(`${need(context, 'COMPUTE_URL')}/images`, {headers}))).toString()) as {
    images: {id: string}[];
  };
  const imageRef = images.images[0]?.id ?? '';
  const rest: number[] = [];
  const raw: number[] = [];
  const made: string[] = [];
  for (const name of names('create', count)) {
    raw.push(await timed(() => context.client.create(SERVER, benchServer(context, name, PAUSED), {signal: context.signal})));
    const body = JSON.stringify({server: {name, flavorRef: 1, imageRef}});
    rest.push(
      await timed(async () => {
        const answer = await ok(await fetch(url, {method: 'POST', headers, body, signal: context.signal}));
        made.push((JSON.parse(Buffer.from(answer).toString()) as {server: {id: string}}).server.id);
      }),
    );
  }
  for (const id of made) await ok(await fetch(`${url}/${id}`, {method: 'DELETE', headers, signal: context.signal}));
  for (const name of names('create', count))
    await context.client.delete(SERVER, {name, namespace: context.namespace}, {signal: context.signal});
  const value = median(rest) / median(raw);
  const detail = `median of ${count}: ${median(rest).toFixed(1)} ms over REST (Server and its boot Secret), ${median(raw).toFixed(1)} ms one raw create`;
  return {name: 'create a server over REST / raw create', value, unit: 'ratio', goal: {atMost: 2}, detail};
}

/** The detailed list of all servers over Cyclades against the same list from kube-apiserver, taken in turns. */
export async function measureList(context: BenchContext, servers: number, rounds: number): Promise<Row> {
  const headers = {'X-Auth-Token': need(context, 'TOKEN')};
  const restUrl = `${need(context, 'COMPUTE_URL')}/servers/detail`;
  const rawPath = `/apis/${SERVER.group}/${SERVER.version}/namespaces/${context.namespace}/${SERVER.plural}`;
  const rest: number[] = [];
  const raw: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    raw.push(await timed(() => context.client.raw('GET', rawPath, {signal: context.signal})));
    rest.push(
      await timed(async () => {
        const body = await ok(await fetch(restUrl, {headers, signal: context.signal}));
        bytes = body.byteLength;
        const listed = (JSON.parse(Buffer.from(body).toString()) as {servers: unknown[]}).servers.length;
        if (listed < servers) throw new Error(`the list has ${listed} servers, not ${servers}`);
      }),
    );
  }
  const value = median(rest) / median(raw);
  const detail = `${servers} servers, median of ${rounds}: ${median(rest).toFixed(1)} ms (${(bytes / 1e6).toFixed(1)} MB, parsed) over REST, ${median(raw).toFixed(1)} ms (unparsed) from kube-apiserver`;
  return {name: 'list servers over REST / raw list', value, unit: 'ratio', goal: {atMost: 0.5}, detail};
}
