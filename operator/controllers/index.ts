/** Every controller of the operator, in the order in which they are registered. */
import type {ControllerDefinition, Deps} from '../runtime/types.ts';
import {createAccountController} from './account/controller.ts';
import {createCellController} from './cell/controller.ts';
import {createDriveController} from './drive/controller.ts';
import {createFlavorController} from './flavor/controller.ts';
import {createHostController} from './host/controller.ts';
import {createImageController} from './image/controller.ts';
import {createKeyPairController} from './keypair/controller.ts';
import {createNetworkController} from './network/controller.ts';
import {createProjectController} from './project/controller.ts';
import {createRegionController} from './region/controller.ts';
import {createSecretController} from './secret/controller.ts';
import {createServerController} from './server/controller.ts';
import {createServerGroupController} from './servergroup/controller.ts';
import {createServerOperationController} from './serveroperation/controller.ts';

/** Makes them all. */
export function createControllers(deps: Deps): readonly ControllerDefinition[] {
  return [
    createRegionController,
    createCellController,
    createHostController,
    createAccountController,
    createProjectController,
    createFlavorController,
    createNetworkController,
    createKeyPairController,
    createServerGroupController,
    createImageController,
    createDriveController,
    createServerController,
    createSecretController,
    createServerOperationController,
  ].map((create) => create(deps));
}
