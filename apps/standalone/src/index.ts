export { type Standalone, type StandaloneParts, startStandalone } from './standalone.ts';
