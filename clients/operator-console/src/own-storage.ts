import { deviceStorage } from './device-storage.ts';

/** Of this browser. */
export const ownStorage = deviceStorage(() => localStorage);
