/** Annotation `basalt.dev/paused: "true"`: reconciling is suspended, deletion included. */
import {PAUSED_ANNOTATION} from '../../../crds/wellknown.ts';
import type {KubeObject} from '../../../kube/objects.ts';

export {PAUSED_ANNOTATION};

export const isPaused = (object: KubeObject): boolean => object.metadata.annotations?.[PAUSED_ANNOTATION] === 'true';
