export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** The prefix of a reference to a named schema. */
export const REF_PREFIX = '#/components/schemas/';
