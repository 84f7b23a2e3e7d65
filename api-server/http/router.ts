/** Finds the route of a method and path. Plain data in, plain data out: the listener's adapter does the rest. */
import {Failure} from './failure.ts';
import type {Route} from './types.ts';

/** What a path means: a route, a path without that verb, or nothing. */
export type Match =
  | {readonly kind: 'found'; readonly route: Route; readonly label: string; readonly params: Readonly<Record<string, string>>}
  | {readonly kind: 'wrong-method'; readonly allow: readonly string[]}
  | {readonly kind: 'unknown'};

/** Matches a verb and a path below the mount (raw: still percent-encoded, without query). */
export type Router = (method: string, path: string) => Match;

interface Compiled {
  readonly route: Route;
  readonly label: string;
  readonly segments: readonly (string | {readonly name: string})[];
  /** One bit per literal segment, the first one highest: the larger, the more exact. */
  readonly weight: number;
}

/**
 * Compiles a table. Two routes with the same verb and shape are a defect of the table and throw here, at start-up. A HEAD without a
 * route of its own is answered by the GET.
 */
export function createRouter(routes: readonly Route[]): Router {
  const byLength = new Map<number, Compiled[]>();
  const shapes = new Set<string>();
  for (const route of routes) {
    const compiled = compile(route);
    const shape = `${route.method} ${compiled.segments.map((part) => (typeof part === 'string' ? part : '{}')).join('/')}`;
    if (shapes.has(shape)) throw new Error(`two routes for ${shape}`);
    shapes.add(shape);
    const group = byLength.get(compiled.segments.length) ?? [];
    group.push(compiled);
    byLength.set(compiled.segments.length, group);
  }
  for (const group of byLength.values()) group.sort((a, b) => b.weight - a.weight);

  return (method, path) => {
    const segments = split(path);
    const candidates = (byLength.get(segments.length) ?? []).filter((candidate) => fits(candidate, segments));
    // The most exact path decides what exists: `/servers/detail` is never the server called "detail".
    const exact = candidates.filter((candidate) => candidate.weight === candidates[0]?.weight);
    if (exact.length === 0) return {kind: 'unknown'};
    const found = exact.find((candidate) => candidate.route.method === method) ?? (method === 'HEAD' ? exact.find(isGet) : undefined);
    if (found === undefined) return {kind: 'wrong-method', allow: exact.map((candidate) => candidate.route.method)};
    return {kind: 'found', route: found.route, label: found.label, params: paramsOf(found, segments)};
  };
}

const isGet = (candidate: Compiled): boolean => candidate.route.method === 'GET';

function split(path: string): string[] {
  return path.split('/').slice(1);
}

function compile(route: Route): Compiled {
  const segments = split(route.path).map((part) => (/^\{\w+\}$/.test(part) ? {name: part.slice(1, -1)} : part));
  const weight = segments.reduce((sum, part) => sum * 2 + (typeof part === 'string' ? 1 : 0), 0);
  return {route, label: `${route.method} ${route.path === '' ? '/' : route.path}`, segments, weight};
}

function fits(candidate: Compiled, segments: readonly string[]): boolean {
  return candidate.segments.every((part, at) => (typeof part === 'string' ? part === segments[at] : segments[at] !== ''));
}

function paramsOf(candidate: Compiled, segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  candidate.segments.forEach((part, at) => {
    if (typeof part !== 'string') params[part.name] = decodeSegment(segments[at] ?? '');
  });
  return params;
}

/** Percent-decodes one path segment; a broken escape is the client's mistake. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new Failure('bad-request', 'The path has a broken percent escape', {cause});
  }
}
