/** The CloudSigma Back-end API 1.0. */
export {createCloudSigmaModule} from './routes.ts';
