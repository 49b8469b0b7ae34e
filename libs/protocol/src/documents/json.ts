export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What a reference to a named schema begins with. */
export const REF_PREFIX = '#/components/schemas/';
