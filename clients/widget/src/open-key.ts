import { storedSessionKey } from '@chat-realtime/client';

/** Kept by a tab for as long as its panel is open: the next page of the site opens it again. */
export const openKey = (namespace: string): string => `${storedSessionKey(namespace)}:open`;
