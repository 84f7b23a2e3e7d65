/**
 * Readiness. A container without a probe is ready when it runs. With one it is asked every 200 ms until it first says yes, and ready from
 * then on: `initialDelaySeconds` and `periodSeconds` spare a network that is not there. Certificates are not looked at, as by a kubelet.
 */
import {request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import {connect} from 'node:net';
import type {Clock} from '../../../kube/clock.ts';
import type {Probe} from './pod.ts';

const INTERVAL_MS = 200;
const TIMEOUT_MS = 1_000;

/** Resolves once the probe succeeds; rejects with the signal's reason. */
export async function untilReady(probe: Probe | undefined, address: string, clock: Clock, signal: AbortSignal): Promise<void> {
  if (probe === undefined) return;
  while (!(await ask(probe, address))) await clock.sleep(INTERVAL_MS, signal);
}

function ask({httpGet, tcpSocket}: Probe, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (httpGet === undefined) {
      const socket = connect({host: address, port: Number(tcpSocket?.port), timeout: TIMEOUT_MS}, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false)).on('timeout', () => socket.destroy(new Error('timeout')));
      return;
    }
    const secure = httpGet.scheme === 'HTTPS';
    const options = {host: address, port: Number(httpGet.port), path: httpGet.path ?? '/', timeout: TIMEOUT_MS, agent: false as const};
    const answered = (answer: {statusCode?: number | undefined; resume(): unknown}): void => {
      answer.resume();
      const status = answer.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    };
    const request = secure ? requestHttps({...options, rejectUnauthorized: false}, answered) : requestHttp(options, answered);
    request.on('error', () => resolve(false)).on('timeout', () => request.destroy(new Error('timeout')));
    request.end();
  });
}
