/** The model: every kind of Basalt, with its types, its address and its definition. */
import {accountKind} from './account.ts';
import {cellKind} from './cell.ts';
import {driveKind} from './drive.ts';
import {flavorKind} from './flavor.ts';
import {hostKind} from './host.ts';
import {imageKind} from './image.ts';
import {keyPairKind} from './keypair.ts';
import {networkKind} from './network.ts';
import {projectKind} from './project.ts';
import {regionKind} from './region.ts';
import type {KindDefinition} from './resource.ts';
import {serverKind} from './server.ts';
import {serverGroupKind} from './servergroup.ts';
import {serverOperationKind} from './serveroperation.ts';

export * from './account.ts';
export * from './cell.ts';
export * from './conditions.ts';
export * from './drive.ts';
export * from './flavor.ts';
export * from './host.ts';
export * from './image.ts';
export type {Totals} from './inventory.ts';
export * from './keypair.ts';
export * from './network.ts';
export * from './project.ts';
export * from './region.ts';
export {API_VERSION, GROUP, VERSION} from './resource.ts';
export type {KindDefinition, KindType, ObjectMeta, OwnerReference, Resource} from './resource.ts';
export type {Infer} from './schema.ts';
export * from './server.ts';
export * from './servergroup.ts';
export * from './serveroperation.ts';
export {MAX_DISKS, ROOT_SLOT} from './slots.ts';
export * from './wellknown.ts';

/** Every kind, in an order in which they can be installed and documented. */
export const ALL_KINDS: readonly KindDefinition[] = [
  regionKind,
  cellKind,
  hostKind,
  accountKind,
  projectKind,
  flavorKind,
  imageKind,
  driveKind,
  serverKind,
  serverOperationKind,
  serverGroupKind,
  keyPairKind,
  networkKind,
];
