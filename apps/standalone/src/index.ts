/**
 * All services in one process, with a PostgreSQL of its own as a child process, and memory in place of RabbitMQ and Redis.
 * Each service handles a message exactly as it would in a process of its own; `standalone.ts` starts them in order.
 *
 * - `admin/`: the admin commands (`npm run admin`), also for a distributed installation
 * - `demo/`: the example chats and logins of a first start
 * - `probe/`: the process that posts and reads through the edge like a person, and exports time and loss
 * - `try/`: the server side of the page `/try/`, whose parts can be broken with buttons
 *
 * Start with `standalone.ts`. `main.ts` reads the variables and starts it.
 */
export { type Standalone, type StandaloneParts, startStandalone } from './standalone.ts';
