/** Fields that the inventory kinds (Region, Cell, Host) share. */
import {count, textField} from './common.ts';
import {s} from './schema.ts';
import type {Infer} from './schema.ts';

const amount = (description: string) => s.integer(description, {min: 0, max: 1_000_000_000_000});

const totalsFields = {
  cpuCores: amount('CPU in whole cores, rounded down.'),
  cpuMilli: amount('CPU in thousandths of a core.'),
  memoryMiB: amount('Memory in MiB.'),
};

const totals = (description: string) => s.object(description, totalsFields);

/** CPU and memory, added up. */
export type Totals = Infer<ReturnType<typeof totals>>;

/** `status` fields of everything that has capacity. */
export const capacityFields = {
  servers: count('Servers that run here.'),
  capacity: totals('What the nodes have.'),
  allocatable: totals('What the nodes offer to servers.'),
  requested: totals('What the servers here ask for.'),
  free: totals('What is left for more servers.'),
};

/** Most bytes of `spec.data` as JSON in UTF-8, which CEL cannot count: an object of the cluster has to stay under 1.5 MB. */
export const MAX_DATA_BYTES = 262_144;
/** `spec.data`. */
export const dataField = s.open('Free-form inventory data: any JSON value per key.', {max: 512});
/** `spec.state`. */
export const stateField = s.string('State, as the inventory calls it: free text.', {max: 255});
/** `spec.note`. */
export const noteField = textField('Note of a person.');
