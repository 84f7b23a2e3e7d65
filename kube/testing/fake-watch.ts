/** Watches of the fake API server. */
import type {ServerResponse} from 'node:http';
import {FakeStatusError, statusOf} from './fake-objects.ts';
import type {FakeObject} from './fake-objects.ts';
import type {Route} from './fake-route.ts';
import {compileSelectors} from './fake-selectors.ts';
import type {FakeStore, StoredEvent} from './fake-store.ts';

/** An open watch. */
export interface FakeWatch {
  /** Sends a BOOKMARK with the present version. */
  bookmark(): void;
  /** Ends the stream well (`close`), or cuts its connection (`reset`). */
  end(how: 'close' | 'reset'): void;
  /** Sends a line as it is. */
  sendLine(line: string): void;
}

/** Starts a stream on `response`; `onEnd` is called once it is over. */
export function startWatch(store: FakeStore, route: Route, query: URLSearchParams, response: ServerResponse, onEnd: () => void): FakeWatch {
  const selected = compileSelectors(query.get('labelSelector'), query.get('fieldSelector'));
  let ended = false;
  const sendLine = (line: string): void => {
    if (!ended) response.write(`${line}\n`);
  };
  const send = (type: string, object: object): void => sendLine(JSON.stringify({type, object}));
  const bookmark = (): void => {
    const {group, version} = route;
    send('BOOKMARK', {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind: 'Bookmark',
      metadata: {resourceVersion: String(store.version)},
    });
  };
  const end = (how: 'close' | 'reset'): void => {
    ended = true;
    if (how === 'reset') response.destroy();
    else response.end();
  };
  response.writeHead(200, {'content-type': 'application/json'});
  response.flushHeaders();
  const watch = {bookmark, end, sendLine};

  const from = query.get('resourceVersion');
  let seen = from === null || from === '' || from === '0' ? store.version : Number(from);
  if (seen < store.compacted) {
    send('ERROR', statusOf(new FakeStatusError(410, 'Expired', `too old resource version: ${seen} (${store.compacted})`)));
    response.end();
    return watch;
  }
  const deliver = (event: StoredEvent): void => {
    if (event.version <= seen) return;
    seen = event.version;
    const seenAs = eventFor(event, route, selected);
    if (seenAs !== undefined) send(seenAs, event.object);
  };
  if (from === null || from === '' || from === '0') {
    for (const object of store.list(route.collection, route.namespace, selected)) send('ADDED', object);
  } else {
    for (const event of store.since(seen)) deliver(event);
  }
  const stopListening = store.onEvent(deliver);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const timer = seconds > 0 ? setTimeout(() => end('close'), seconds * 1000).unref() : undefined;
  response.once('close', () => {
    stopListening();
    clearTimeout(timer);
    onEnd();
  });
  return watch;
}

/** How a watch with a selector sees a change: what ceases to match is deleted for it, what begins to match is added. */
function eventFor(event: StoredEvent, route: Route, selected: (object: FakeObject) => boolean): StoredEvent['type'] | undefined {
  if (event.collection !== route.collection) return undefined;
  if (route.namespace !== undefined && event.object.metadata.namespace !== route.namespace) return undefined;
  const now = event.type !== 'DELETED' && selected(event.object);
  const before = event.before !== undefined && selected(event.before);
  if (now) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}
