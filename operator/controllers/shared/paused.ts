/** Annotation `basalt.dev/paused: "true"`: reconciling is suspended, deletion included. */
import type {KubeObject} from '../../../kube/objects.ts';

export const PAUSED_ANNOTATION = 'basalt.dev/paused';

export const isPaused = (object: KubeObject): boolean => object.metadata.annotations?.[PAUSED_ANNOTATION] === 'true';
