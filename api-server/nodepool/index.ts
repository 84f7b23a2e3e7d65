/** The Nodepool API v1. */
export {createNodepoolModule} from './routes.ts';
