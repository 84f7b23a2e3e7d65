/** The cells in the body of POST /regions: checked together with the region, and made with it, all or none. */
import type {Cell} from '../../crds/index.ts';
import type {Clock} from '../../kube/clock.ts';
import {Failure} from '../http/failure.ts';
import type {Input} from '../http/types.ts';
import {demandForCreate} from './bodies.ts';
import {CELLS} from './cells.ts';
import {createNamed} from './create-named.ts';
import {Problems} from './errors.ts';
import type {Body} from './fields.ts';
import {isObject} from './json.ts';
import type {InventoryKind, InventoryObject, Plan} from './kind.ts';
import type {View} from './view.ts';

/** Most cells of one body. */
const MAX_CELLS = 256;
/** How long taking back may last, whatever became of the request, in milliseconds. */
const CLEANUP_MS = 10_000;

type CellPlan = Plan<Cell['spec']>;

/** Plans of the cells; their region is not there yet. Problems are named as `cells[0].name`. */
export function planCells(body: Body, regionName: string, byTriple: boolean, view: View, problems: Problems): readonly CellPlan[] {
  const cells = body['cells'] ?? [];
  if (!Array.isArray(cells) || !cells.every(isObject)) {
    problems.add('cells', 'must be an array of cells');
    return [];
  }
  if (cells.length > MAX_CELLS) problems.add('cells', `must not have more than ${MAX_CELLS} cells`);
  const taken = new Set<string>();
  return cells.slice(0, MAX_CELLS).map((cell: Body, index) => {
    const {region = regionName, region_id: _regionId, ...own} = cell;
    const found = new Problems();
    demandForCreate('cells', {...own, region}, byTriple, found);
    if (region !== regionName && region !== null) found.add('region', 'is not the region that the cell is sent with');
    const plan = CELLS.plan(own, undefined, view, found);
    for (const key of [`name ${plan.name}`, `uuid ${plan.uuid?.value ?? index}`]) {
      if (taken.has(key)) found.add(key.startsWith('name') ? 'name' : 'cell_uuid', 'is there twice');
      taken.add(key);
    }
    problems.addAll(`cells[${index}]`, found);
    return plan;
  });
}

/** Who made the region, and what the work may use. */
interface CreateCall {
  readonly signal: AbortSignal;
  readonly log: Input['log'];
  readonly clock: Clock;
}

/** Makes the cells of a region that was just made, or takes back what was made of it, the region too, and throws what went wrong. */
export async function createCells<T extends InventoryObject>(
  plans: readonly CellPlan[],
  region: {readonly kind: InventoryKind<T>; readonly object: T},
  view: View,
  {signal, log, clock}: CreateCall,
): Promise<void> {
  const {name} = region.object.metadata;
  const results = await Promise.allSettled(
    plans.map(async (plan) => {
      const whole = {...plan, spec: {...plan.spec, region: name}, key: [name, plan.name]};
      return await createNamed(CELLS, whole, view, signal);
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  const cleanup = new AbortController();
  const stop = clock.setTimer(CLEANUP_MS, () => cleanup.abort(new Failure('timeout')));
  try {
    const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.metadata.name] : []));
    const undone = await Promise.allSettled([
      ...made.map((cell) => view.store.cells.delete({name: cell}, {signal: cleanup.signal})),
      region.kind.collection(view.store).delete({name}, {signal: cleanup.signal}),
    ]);
    for (const result of undone)
      if (result.status === 'rejected') log.error({err: result.reason as unknown, region: name}, 'half a region may be left behind');
  } finally {
    stop();
  }
  throw failed.reason;
}
