export * from './actors.ts';
export type * from './operation-types.ts';
export type * from './operations.ts';
export * from './ports.ts';
export * from './session-state.ts';
export type * from './unit.ts';
