export { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { type DispatcherEnvironment, dispatcherEnvironment } from './config.ts';
