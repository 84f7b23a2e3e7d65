/** The Craton Inventory API v1. */
export {createCratonModule} from './routes.ts';
