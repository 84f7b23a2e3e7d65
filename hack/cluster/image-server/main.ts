/** Serves the images of a cluster over http: IMAGE_FOLDER, IMAGE_LISTEN=address:port. Stops at SIGTERM. */
import {createServer} from 'node:http';
import {imageHandler} from './handler.ts';

const {IMAGE_FOLDER: folder, IMAGE_LISTEN: listen} = process.env;
if (folder === undefined || listen === undefined) throw new Error('IMAGE_FOLDER and IMAGE_LISTEN must be set');
const [host, port] = listen.split(':');
const server = createServer(imageHandler(folder));
server.listen(Number(port), host, () => console.log(`serving ${folder} on http://${listen}`));
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
